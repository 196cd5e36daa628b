/** Values of Secrets: base64 of whatever, often of text. */

export function bytesOf(encoded: string): Uint8Array {
  const binary = atob(encoded.replace(/\s+/g, ''));
  return Uint8Array.from(binary, (each) => each.charCodeAt(0));
}

/** The text that is encoded; undefined: it is no text (UTF-8), or not encoded at all. */
export function decodeText(encoded: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(encoded));
  } catch {
    return undefined;
  }
}

export function encodeText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (const each of bytes) binary += String.fromCharCode(each);
  return btoa(binary);
}

/** How many bytes are encoded. */
export function sizeOfEncoded(encoded: string): number {
  const text = encoded.replace(/\s+/g, '');
  const padding = /=*$/.exec(text)?.[0].length ?? 0;
  return Math.max(0, Math.floor((text.length * 3) / 4) - padding);
}
