import { createHash } from 'node:crypto'
import { ecKey, type TestKey } from '../pki/keys.ts'
import { memo } from '../pki/memo.ts'

const keys = memo<TestKey>()
const signatures = memo<Uint8Array>()

/**
 * P-384 key of the NVIDIA hierarchies, derived from its label. Being deterministic, keys and signatures are remembered: a
 * machine and the hundreds of machines with one thing wrong in them share nearly all of theirs.
 */
export const p384Key = (label: string): TestKey =>
  keys(label, () => {
    const key = ecKey('P-384', `nvidia/${label}`)
    const once = (how: string, message: Uint8Array, make: () => Uint8Array): Uint8Array => {
      const digest = createHash('sha384').update(message).digest('base64')
      return signatures(`${label}\0${how}\0${digest}`, make).slice()
    }
    return {
      ...key,
      sign: (message, options) => once(`der ${JSON.stringify(options)}`, message, () => key.sign(message, options)),
      signRaw: (message, hash) => once(`raw ${hash}`, message, () => key.signRaw(message, hash)),
    }
  })
