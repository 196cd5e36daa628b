/** What goes wrong on the way to the server and back, typed. */

export interface StatusCause {
  reason?: string;
  field?: string;
  message?: string;
}

interface Status {
  message?: string;
  reason?: string;
  code?: number;
  details?: { causes?: StatusCause[]; retryAfterSeconds?: number; name?: string; kind?: string };
}

/** The server answered with a Kubernetes Status, or with something that is none. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: number, status: Status) {
    super(status.message ?? `HTTP ${code}`);
    this.code = code;
    this.reason = status.reason ?? '';
    this.causes = status.details?.causes ?? [];
    this.retryAfterSeconds = status.details?.retryAfterSeconds;
  }

  /** What is wrong with one field of the object that was sent. */
  fieldMessage(field: string): string | undefined {
    return this.causes.find((each) => each.field === field)?.message;
  }
}

/** No answer came. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

export function hasCode(error: unknown, code: number): boolean {
  return error instanceof ApiError && error.code === code;
}

/** Reads the error in an answer; bodies that are no Status become one. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return new ApiError(response.status, body);
  } catch {
    // Not JSON: a proxy between us and the server answers in words of its own.
  }
  return new ApiError(response.status, { message: text.slice(0, 300) || response.statusText });
}
