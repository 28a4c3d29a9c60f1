import { expect, it } from 'vitest'

/** What of WebAssembly is needed here; the compiler's library for Node does not know it. */
interface Wasm {
  instantiate(
    ...given: unknown[]
  ): Promise<{ readonly exports?: object; readonly instance?: { readonly exports: object } }>
  readonly Memory: new (...given: never[]) => { readonly buffer: ArrayBuffer }
}
const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly

/** Memory of every WebAssembly instance that is started from here on; it can grow and never shrinks. */
const memories: { readonly buffer: ArrayBuffer }[] = []
const start = wasm.instantiate
wasm.instantiate = async (...given) => {
  const started = await start(...given)
  const exported = Object.values(started.instance?.exports ?? started.exports ?? {})
  memories.push(...exported.filter((value) => value instanceof wasm.Memory))
  return started
}

const usedBytes = (): number => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)

it('does not grow over 2,000 manifests, good ones and bad ones', async () => {
  // Imported here, so that libxml2 starts under the eyes of the test.
  const { authenticated, testRim, verdictOn } = await import('./rim-support.ts')
  const { nodeCrypto } = await import('../../../src/core/crypto/node.ts')
  const { paddedTo } = await import('../../../src/testing/nvidia/index.ts')
  const files = [
    testRim().bytes,
    testRim({ wrong: 'content-edited' }).bytes,
    testRim({ wrong: 'wrap-in-object' }).bytes,
  ]
  const largest = testRim({ plan: paddedTo(256 * 1024) }).bytes
  // Signatures are not what is measured, and would be most of the time.
  const crypto = { ...nodeCrypto, verify: async () => true }
  const verdict = async (bytes: Uint8Array) => verdictOn(await authenticated(bytes, { crypto }))
  expect(await Promise.all(files.map(verdict))).toEqual(['accepted', 'RIM_SIGNATURE_INVALID', 'RIM_SIGNATURE_SCOPE'])
  expect(memories.length).toBeGreaterThan(0)
  const before = usedBytes()
  for (let i = 0; i < 2000; i++) await verdict(files[i % files.length] ?? largest)
  expect(await verdict(largest)).toBe('accepted')
  expect(usedBytes() - before).toBeLessThanOrEqual(4 * 1024 * 1024)
})
