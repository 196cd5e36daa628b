import { useEffect, type ReactNode } from 'react';

import { Logo } from '../../app/Logo';
import './signin.css';

/** The page of one who is not signed in yet: one card. */
export function Frame(props: { title: string; lead: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${props.title} · llmos`;
  }, [props.title]);
  return (
    <main className="frame">
      <div className="frame-box">
        <Logo />
        <section className="frame-card">
          <header>
            <h1>{props.title}</h1>
            <p className="muted">{props.lead}</p>
          </header>
          {props.children}
        </section>
      </div>
    </main>
  );
}
