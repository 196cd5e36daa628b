import { useEffect, useRef, useState } from 'react';

/** What a promise gives, asked for once for each time that it is wanted. */
export function useQueryOnce<T>(wanted: boolean, ask: () => Promise<T>): T | undefined {
  const [value, setValue] = useState<T>();
  const latest = useRef(ask);
  useEffect(() => {
    latest.current = ask;
  });
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    void latest.current().then((answer) => {
      if (current) setValue(answer);
    });
    return () => {
      current = false;
      setValue(undefined);
    };
  }, [wanted]);
  return value;
}
