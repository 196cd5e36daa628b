import type { ReactNode } from 'react';
import { useEffect } from 'react';

import './page.css';

export interface PageProps {
  title: string;
  /** Before the title: where one is. */
  crumbs?: ReactNode;
  /** Beside the title: a state, a tag. */
  mark?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** The content fills the height and scrolls by itself, as a long table does. */
  fill?: boolean;
}

export function Page({ title, crumbs, mark, lead, actions, children, fill }: PageProps) {
  useEffect(() => {
    document.title = `${title} · llmos`;
  }, [title]);
  return (
    <div className={`page${fill ? ' page-fill' : ''}`}>
      {crumbs !== undefined && <div className="crumbs">{crumbs}</div>}
      <header className="page-head">
        <div className="grow">
          <div className="row-wrap">
            <h1>
              <bdi>{title}</bdi>
            </h1>
            {mark}
          </div>
          {lead !== undefined && <p className="page-lead">{lead}</p>}
        </div>
        {actions !== undefined && <div className="row-wrap page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card(props: { title?: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="card">
      {props.title !== undefined && (
        <header className="card-head">
          <h2>{props.title}</h2>
          {props.actions}
        </header>
      )}
      {props.children}
    </section>
  );
}

/** Nothing is there, and what that means. */
export function Empty(props: {
  icon?: ReactNode;
  title: string;
  hint: string;
  action?: ReactNode;
}) {
  return (
    <div className="empty">
      {props.icon}
      <p className="empty-title">{props.title}</p>
      <p className="muted empty-hint">{props.hint}</p>
      {props.action}
    </div>
  );
}

export function Loading({ label }: { label: string }) {
  return (
    <div className="loading" role="status">
      <span className="loading-ring" aria-hidden />
      {label}
    </div>
  );
}
