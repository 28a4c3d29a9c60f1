import { describe, expect, it } from 'vitest'
import {
  cpuReportData,
  decodeRuntimeData,
  deviceReportData,
  type RuntimeData,
} from '../../../src/attestation/evidence-set/runtime-data.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { canonicalJson } from '../../../src/core/json.ts'
import { amdMachine } from '../../../src/testing/index.ts'
import { AT, bothScene, gpuPolicy, gpus, judged, LEASE, SEED } from '../../reject/stage.ts'

const DATA: RuntimeData = {
  nonce: Buffer.alloc(32, 3).toString('base64'),
  teePubkey: { kty: 'EC', crv: 'P-256', alg: 'ECDH-ES+A256KW', x: 'eA', y: 'eQ' },
  additionalEvidence: '{"nvidia":{}}',
  hash: 'sha384',
}
const { digest } = nodeCrypto
const zeros = (count: number) => '00'.repeat(count)

describe('report data of the KBS protocol', () => {
  it('hashes canonical JSON as its peers do', async () => {
    const text = canonicalJson({ b: 1, a: 'test', c: { d: 'e' } })
    expect(toHex(await digest('sha384', utf8(text)))).toBe(
      'e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c4597480a186427c813ca941da78870c3',
    )
  })

  it('covers additional evidence, nonce and key for the CPU, nonce and key for devices', async () => {
    const key = '{"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":"eA","y":"eQ"}'
    const cpu = `{"additional-evidence":"{\\"nvidia\\":{}}","nonce":"${DATA.nonce}","tee-pubkey":${key}}`
    expect(toHex(await cpuReportData(digest, DATA))).toBe(toHex(await digest('sha384', utf8(cpu))) + zeros(16))
    const device = `{"nonce":"${DATA.nonce}","tee-pubkey":${key}}`
    expect(toHex(await deviceReportData(digest, DATA))).toBe(toHex(await digest('sha384', utf8(device))) + zeros(16))
    expect(await cpuReportData(digest, { ...DATA, hash: 'sha512' })).toHaveLength(64)
    expect(toHex(await cpuReportData(digest, { ...DATA, hash: 'sha256' })).slice(64)).toBe(zeros(32))
  })

  it.each([
    ['another nonce', { nonce: 'AAAA', 'tee-pubkey': {} }],
    ['no key', { nonce: DATA.nonce }],
    ['a key that is none', { nonce: DATA.nonce, 'tee-pubkey': 'key' }],
    ['a member more', { nonce: DATA.nonce, 'tee-pubkey': {}, extra: 1 }],
    ['a list', []],
  ])('is not read from %s', (_, value) => {
    const read = decodeRuntimeData(value, DATA)
    expect(read).toMatchObject({ ok: false, faults: [{ code: 'BIND_RUNTIME_DATA_INVALID' }] })
  })
})

/** A machine with a GPU that answers this runtime data, judged for `asked`. */
async function codesFor(
  asked: RuntimeData,
  { cpu = DATA, gpu = DATA }: { cpu?: RuntimeData; gpu?: RuntimeData } = {},
  policy = gpuPolicy(),
) {
  const machine = amdMachine(SEED, { at: AT, report: { reportData: await cpuReportData(digest, cpu) } })
  const nonce = (await deviceReportData(digest, gpu)).subarray(0, 32)
  const lease = { ...LEASE, id: undefined, provider: undefined }
  const freshness = { kind: 'runtimeData', runtimeData: asked } as const
  const decision = await judged(bothScene(machine, gpus({ nonce })), { policy, freshness, lease })
  return [...new Set(decision.findings.map((f) => f.code))]
}

describe('evidence for a session', () => {
  const other: RuntimeData = { ...DATA, nonce: Buffer.alloc(32, 4).toString('base64') }

  it('is fresh where every item answers', async () => {
    expect(await codesFor(DATA)).toEqual([])
  })

  it.each([
    ['another nonce', other],
    ['another key', { ...DATA, teePubkey: { ...DATA.teePubkey, x: 'eQ' } }],
    ['another hash', { ...DATA, hash: 'sha512' }],
  ] as const)('is not for %s', async (_, asked) => {
    expect(await codesFor(asked)).toEqual(['BIND_NONCE_MISMATCH', 'GPU_NONCE_MISMATCH'])
  })

  it('is not where additional evidence, which only the CPU covers, is another', async () => {
    expect(await codesFor({ ...DATA, additionalEvidence: '' })).toEqual(['BIND_NONCE_MISMATCH'])
  })

  it('is not where a GPU answers another session', async () => {
    expect(await codesFor(DATA, { gpu: other })).toEqual(['BIND_SET_NOT_UNIFORM'])
  })

  it('does not cover a list of GPUs', async () => {
    expect(await codesFor(DATA, {}, gpuPolicy({ nonce: 'composite' }))).toContain('BIND_COMPOSITE_MISSING')
  })
})
