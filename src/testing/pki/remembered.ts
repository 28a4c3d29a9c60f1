import { createHash } from 'node:crypto'
import { ecKey, type TestKey } from './keys.ts'
import { memo } from './memo.ts'
import type { Curve } from './spki.ts'

const keys = memo<TestKey>()
const signatures = memo<Uint8Array>()

/**
 * `ecKey`, remembered: keys and signatures are deterministic, and a machine and the hundreds of machines with one thing
 * wrong in them share nearly all of theirs.
 */
export const rememberedKey = (curve: Curve, label: string): TestKey =>
  keys(`${curve}\0${label}`, () => {
    const key = ecKey(curve, label)
    const once = (how: string, message: Uint8Array, make: () => Uint8Array): Uint8Array => {
      const digest = createHash('sha384').update(message).digest('base64')
      return signatures(`${curve}\0${label}\0${how}\0${digest}`, make).slice()
    }
    return {
      ...key,
      sign: (message, options) => once(`der ${JSON.stringify(options)}`, message, () => key.sign(message, options)),
      signRaw: (message, hash) => once(`raw ${hash}`, message, () => key.signRaw(message, hash)),
    }
  })
