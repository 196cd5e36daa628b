/** API keys of the user who is signed in: bearer tokens for programs. */

import { request, respond } from './client';

export interface Token {
  name: string;
  kind: 'session' | 'api' | 'kubeconfig';
  description: string;
  createdAt: string;
  expiresAt: string;
  /** Said once, when it is made. */
  token?: string;
}

export interface NewToken {
  description: string;
  ttlSeconds: number;
}

export async function listTokens(): Promise<Token[]> {
  const answer = await request<{ items: Token[] }>('GET', '/auth/tokens');
  return answer.items;
}

export function createToken(wanted: NewToken): Promise<Token> {
  return request<Token>('POST', '/auth/tokens', { body: wanted });
}

export function revokeToken(name: string): Promise<void> {
  return request('DELETE', `/auth/tokens/${encodeURIComponent(name)}`);
}

/** Makes a key, and a kubeconfig with it. */
export async function createKubeconfig(wanted: NewToken): Promise<string> {
  const response = await respond('POST', '/auth/kubeconfig', {
    body: wanted,
    accept: 'application/yaml, application/json',
  });
  return response.text();
}
