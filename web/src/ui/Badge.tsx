import type { ReactNode } from 'react';

import './badge.css';

export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'neutral';

/** A state in a word, with a dot of its colour. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={`state state-${tone}`}>{children}</span>;
}

/** A small word about something: a role, a kind, a label. */
export function Tag({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`tag tag-${tone}`}>{children}</span>;
}

/** Text that a user wrote: it keeps its direction to itself, and its length to its place. */
export function UserText({ children }: { children: string }) {
  return (
    <bdi className="truncate user-text" title={children}>
      {children}
    </bdi>
  );
}

/** How much of a limit is used. */
export function Meter({ share, label, text }: { share: number; label: string; text?: ReactNode }) {
  const percent = Math.round(share * 100);
  const tone = share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : 'ok';
  return (
    <div className="meter">
      <div
        className="meter-track"
        role="meter"
        aria-label={label}
        aria-valuenow={Math.min(percent, 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`${percent}%`}
      >
        <div
          className={`meter-fill meter-${tone}`}
          style={{ width: `${Math.min(100, percent)}%` }}
        />
      </div>
      <span className="meter-text numeric">{text ?? `${percent}%`}</span>
    </div>
  );
}
