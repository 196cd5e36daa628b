import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode, Ref } from 'react';

interface AnchorProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  look?: 'primary' | 'secondary' | 'quiet';
  icon?: ReactNode;
  ref?: Ref<HTMLAnchorElement>;
}

function ButtonAnchor({ look = 'secondary', icon, children, className, ...rest }: AnchorProps) {
  return (
    <a {...rest} className={`button button-${look} button-normal button-link ${className ?? ''}`}>
      {icon}
      {children}
    </a>
  );
}

/** A link that looks like a button, for it leads to where something is done. */
export const ButtonLink = createLink(ButtonAnchor);

/** A link that a user wrote: only what is plainly a web address becomes one. */
export function SafeLink({ href }: { href: string }) {
  let url: URL | undefined;
  try {
    url = new URL(href);
  } catch {
    url = undefined;
  }
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return <bdi>{href}</bdi>;
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer nofollow">
      <bdi>{href}</bdi>
    </a>
  );
}
