import { useState } from 'react';

export interface Attempt {
  /** Whether it is on its way. */
  busy: boolean;
  /** Why the last attempt failed. */
  error: unknown;
  setError: (error: unknown) => void;
  attempt: (act: () => Promise<unknown>) => Promise<void>;
}

/** Something that is tried: it may take a while, and may fail. */
export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const attempt = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await act();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, setError, attempt };
}
