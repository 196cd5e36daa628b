import { act, renderHook } from '@testing-library/react';
import { expect, it } from 'vitest';

import { forgetAnswers, useMay } from '../../src/api/access';
import { CONFIG_MAPS } from '../../src/api/resources';
import { FakeApi, json } from '../support/fakeApi';

it('asks again when what it hears was asked before rights changed', async () => {
  const api = new FakeApi().install();
  const asked: ((allowed: boolean) => void)[] = [];
  api.first = () =>
    new Promise((resolve) => {
      asked.push((allowed) => resolve(json({ status: { allowed } })));
    });
  const question = { verb: 'create', resource: CONFIG_MAPS, namespace: 'late' };
  const { result } = renderHook(() => useMay(question));
  expect(asked).toHaveLength(1);
  act(() => {
    forgetAnswers();
  });
  await act(async () => {
    asked[0]?.(true);
    await Promise.resolve();
  });
  await expect.poll(() => asked.length).toBe(2);
  await act(async () => {
    asked[1]?.(false);
    await Promise.resolve();
  });
  await expect.poll(() => result.current.allowed).toBe(false);
});
