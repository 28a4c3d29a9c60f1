// Answers one request with a broker whose vault ends the process when it is asked to open the key: after the audit, before the answer.
import { readFileSync } from 'node:fs'
import { take } from '../../src/core/outcome.ts'
import { fileVault } from '../../src/release/vault/index.ts'
import { keyedAnswerOf, leaseId } from '../gate/support.ts'
import { KEY, testBroker } from './support.ts'

const [file = '', kekFile = ''] = process.argv.slice(2)
const { challengeId, evidence } = JSON.parse(readFileSync(0, 'utf8')) as Record<'challengeId' | 'evidence', string>
const real = take(await fileVault(kekFile))
const vault = {
  ...{
    currentKek: real.currentKek,
    seal: real.seal.bind(real),
    mac: real.mac.bind(real),
    close: real.close.bind(real),
  },
  open: () => {
    process.kill(process.pid, 'SIGKILL')
    return new Promise<never>(() => undefined)
  },
}
// The vendor's list comes with the first machine that is made.
await keyedAnswerOf(new Uint8Array(64), new Uint8Array())
const t = await testBroker({ file, vault, isEmpty: true })
const proof = { kind: 'challenge', challengeId, lease: leaseId(), evidence: Buffer.from(evidence, 'base64') } as const
await t.broker.release({ ...KEY, proof, wrapKey: null, format: 'hpke' })
