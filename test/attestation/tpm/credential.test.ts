import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  credentialFile,
  decodeCredentialFile,
  decodePublicArea,
  makeCredential,
  nameOf,
  type PublicArea,
} from '../../../src/attestation/tpm/index.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { toBase64, toHex } from '../../../src/core/encodings.ts'
import { createVerificationCache, type Decision, NO_COLLATERAL, verify, webCrypto } from '../../../src/index.ts'
import { command, describeWith } from '../../support/tools.ts'

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)
/** Of a test: a verifier draws its own, once for each credential. */
const RANDOM = { seed: bytes(32, 3), padding: bytes(32, 5), ephemeral: bytes(32, 7) }
const SECRET = bytes(32, 9)
const NONCE = bytes(32, 11)

function areaIn(file: Uint8Array): PublicArea {
  const decoded = decodePublicArea(file, 'public')
  if (!decoded.ok) throw new TypeError(JSON.stringify(decoded.faults))
  return decoded.value
}

describeWith(
  [command('swtpm', 'swtpm'), command('tpm2', 'tpm2-tools', '/usr/bin/tpm2_quote')],
  'a TPM of somebody else’s making (swtpm)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-swtpm-'))
    const port = 20_000 + (process.pid % 20_000)
    const at = (name: string) => join(folder, name)
    const read = (name: string) => new Uint8Array(readFileSync(at(name)))
    let swtpm: ReturnType<typeof spawn>

    const tool = (name: string, ...args: readonly string[]): string => {
      const done = spawnSync(name, args, {
        cwd: folder,
        env: { ...process.env, TPM2TOOLS_TCTI: `swtpm:port=${port}` },
        encoding: 'utf8',
        input: '',
        timeout: 8000,
      })
      if (done.status !== 0) throw new Error(`${name} ${args.join(' ')}: ${done.error?.message ?? done.stderr}`)
      return done.stdout
    }
    beforeAll(async () => {
      const server = ['--server', `type=tcp,port=${port}`, '--ctrl', `type=tcp,port=${port + 1}`]
      swtpm = spawn(
        'swtpm',
        ['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear', ...server],
        { stdio: 'ignore' },
      )
      // The port of the commands serves one at a time, so that of the control channel is asked whether it is up.
      const deadline = Date.now() + 10_000
      const control = (): Promise<boolean> =>
        new Promise((resolve) => {
          const socket = connect(port + 1, '127.0.0.1')
          // Closed for good: it serves one caller at a time, and what follows blocks this thread.
          socket.once('connect', () => socket.once('close', () => resolve(true)).destroy())
          socket.once('error', () => resolve(false))
        })
      while (!(await control())) {
        if (Date.now() > deadline) throw new Error('swtpm did not start')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }, 20_000)

    afterAll(() => {
      swtpm.kill()
      rmSync(folder, { recursive: true, force: true })
    })

    const flush = () => {
      tool('tpm2_flushcontext', '-t')
      tool('tpm2_flushcontext', '-l')
      tool('tpm2_flushcontext', '-s')
    }
    const keys = (ek: 'rsa' | 'ecc', ak: 'rsa' | 'ecc') => {
      flush()
      tool('tpm2_createek', '-c', 'ek.ctx', '-G', ek, '-u', 'ek.pub', '-f', 'tss')
      flush()
      const scheme = ak === 'rsa' ? ['-s', 'rsassa'] : ['-s', 'ecdsa']
      const files = ['-u', 'ak.pub', '-f', 'tss', '-n', 'ak.name']
      tool('tpm2_createak', '-C', 'ek.ctx', '-c', 'ak.ctx', '-G', ak, '-g', 'sha256', ...scheme, ...files)
      flush()
      return { ek: areaIn(read('ek.pub')), ak: areaIn(read('ak.pub')) }
    }

    it.each(['rsa', 'ecc'] as const)(
      'opens our credential with its %s endorsement key',
      async (kind) => {
        const { ek, ak } = keys(kind, 'rsa')
        const name = await nameOf(ak, nodeCrypto.digest)
        expect(toHex(name)).toBe(toHex(read('ak.name')))
        const credential = await makeCredential(nodeCrypto, ek, name, SECRET, RANDOM)
        if (!credential.ok) throw new TypeError(JSON.stringify(credential.faults))
        expect(await makeCredential(webCrypto(globalThis.crypto.subtle), ek, name, SECRET, RANDOM)).toEqual(credential)
        const file = credentialFile(credential.value)
        expect(decodeCredentialFile(file, 'file')).toEqual(credential)
        writeFileSync(at('cred.blob'), file)
        tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx')
        tool('tpm2_policysecret', '-S', 'session.ctx', '-c', 'e')
        const opened = [
          '-c',
          'ak.ctx',
          '-C',
          'ek.ctx',
          '-i',
          'cred.blob',
          '-o',
          'secret.bin',
          '-P',
          'session:session.ctx',
        ]
        tool('tpm2_activatecredential', ...opened)
        expect(toHex(read('secret.bin'))).toBe(toHex(SECRET))
        flush()
        // A credential for another name does not open.
        const other = await makeCredential(nodeCrypto, ek, name.with(-1, (name.at(-1) ?? 0) ^ 1), SECRET, RANDOM)
        if (!other.ok) throw new TypeError('no credential')
        writeFileSync(at('cred.blob'), credentialFile(other.value))
        tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx')
        tool('tpm2_policysecret', '-S', 'session.ctx', '-c', 'e')
        expect(() => tool('tpm2_activatecredential', ...opened)).toThrow('tpm2_activatecredential')
      },
      30_000,
    )

    const judged = (quote: object): Promise<Decision> =>
      verify(new TextEncoder().encode(JSON.stringify(quote)), {
        ...{ now: 1_790_000_000, policy: null, lease: null, physical: 'unknown', referenceValues: [] },
        freshness: { kind: 'nonce', nonce: NONCE },
        collateral: NO_COLLATERAL,
        injectedAnchors: [],
        cache: createVerificationCache(),
      })

    it.each(['rsa', 'ecc'] as const)(
      'makes quotes that are proved, by an %s key',
      async (kind) => {
        keys('rsa', kind)
        tool('tpm2_pcrextend', `8:sha256=${'ab'.repeat(32)}`)
        const files = ['-m', 'attest.bin', '-s', 'signature.bin', '-o', 'pcrs.bin', '-F', 'serialized']
        tool('tpm2_quote', '-c', 'ak.ctx', '-l', 'sha256:0,8,16', '-q', toHex(NONCE), ...files)
        const quote = {
          format: 'vouchsafe/tpm-quote/1',
          attest: toBase64(read('attest.bin')),
          signature: toBase64(read('signature.bin')),
          akPublic: toBase64(read('ak.pub')),
          pcrFile: toBase64(read('pcrs.bin')),
        }
        const decision = await judged(quote)
        expect(decision.findings.map((f) => f.code)).toEqual(['POLICY_MISSING'])
        // PCR 16 was quoted, and is nobody's boot.
        expect(decision.items[0]?.claims).toMatchObject({ pcrs: [{ values: [{ index: 0 }, { index: 8 }] }] })
        const changed = read('pcrs.bin')
        changed[150] = (changed[150] ?? 0) ^ 1
        const lied = await judged({ ...quote, pcrFile: toBase64(changed) })
        expect(lied.findings.map((f) => f.code)).toEqual(['TPM_PCR_DIGEST_MISMATCH'])
      },
      30_000,
    )
  },
)

describe('makeCredential', () => {
  it('refuses a key that signs in place of an endorsement key', async () => {
    const { tpmQuote } = await import('../../../src/testing/index.ts')
    const area = areaIn(tpmQuote('credential', { key: 'rsassa' }).akPublic)
    const name = await nameOf(area, nodeCrypto.digest)
    expect(await makeCredential(nodeCrypto, area, name, SECRET, RANDOM)).toMatchObject({
      faults: [{ code: 'TPM_ALGORITHM_FORBIDDEN' }],
    })
  })
})
