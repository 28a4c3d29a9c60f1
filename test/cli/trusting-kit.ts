import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { toBase64 } from '../../src/core/encodings.ts'
import type { TrustAnchor } from '../../src/core/trust-anchors.ts'

const base64 = (_: string, value: unknown) => (value instanceof Uint8Array ? { base64: toBase64(value) } : value)

/**
 * A module that runs before the command: in that process the roots of the test kit stand among the pinned ones, and it is another
 * time from the making of the module on. A published program has no way to either; everything else in the process is as it is shipped.
 */
export const trustingKit = (roots: readonly TrustAnchor[], startsAt: string): string => `
  import { PINNED_ANCHORS } from ${JSON.stringify(pathToFileURL(resolve('src/core/trust-anchors.ts')).href)}
  const bytes = (_, value) => value?.base64 === undefined ? value : new Uint8Array(Buffer.from(value.base64, 'base64'))
  PINNED_ANCHORS.push(...JSON.parse(${JSON.stringify(JSON.stringify(roots, base64))}, bytes))
  const now = Date.now
  Date.now = () => now() + ${Date.parse(startsAt) - Date.now()}
`
