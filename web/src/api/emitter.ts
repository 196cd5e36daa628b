/** Somebody to tell, for modules that live outside React. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();

  subscribe = (listener: (value: T) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  emit(value: T): void {
    for (const each of [...this.#listeners]) each(value);
  }
}
