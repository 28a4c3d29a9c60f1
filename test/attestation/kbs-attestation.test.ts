import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readKbsAttestation } from '../../src/attestation/envelopes/kbs.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { toBase64, toHex } from '../../src/core/encodings.ts'
import { canonicalJson, type JsonObject } from '../../src/core/json.ts'
import type { Decision } from '../../src/decision/decision.ts'
import {
  amdAnchors,
  amdCollateral,
  cpu,
  cpuPolicy,
  gpuPolicy,
  gpus,
  json,
  judged,
  LEASE,
  nvidiaAnchors,
  nvidiaCollateral,
} from '../reject/stage.ts'

const NONCE = new Uint8Array(32).fill(7)
const KEY: JsonObject = { kty: 'EC', crv: 'P-256', alg: 'ECDH-ES+A256KW', x: 'AAAA', y: 'BBBB' }
const hash = (name: string, text: string) => new Uint8Array(createHash(name).update(text).digest())
const padded = (value: Uint8Array, size = 64) => {
  const out = new Uint8Array(size)
  out.set(value.subarray(0, size))
  return out
}

interface Guest {
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  readonly withGpu?: boolean
  /** as guests before version 0.4 do: one piece of evidence, and a hash of nonce and key alone */
  readonly isOld?: boolean
  /** the weakest form that the policy takes; `composite` unless said */
  readonly required?: 'derived' | 'composite'
  /** what is sent, where it is not what was hashed */
  readonly sent?: { readonly nonce?: string; readonly key?: JsonObject; readonly additional?: (text: string) => string }
  readonly gpuNonceOf?: JsonObject
  readonly initData?: { readonly body: string; readonly sent?: string }
}

/** What a guest sends, made here from protocols.md §1.2 alone. */
async function attested(guest: Guest = {}): Promise<Decision> {
  const nonce = toBase64(NONCE)
  const name = guest.hash ?? 'sha384'
  const deviceNonce = hash(name, canonicalJson(guest.gpuNonceOf ?? { nonce, 'tee-pubkey': KEY })).subarray(0, 32)
  const nvidia = guest.withGpu === true ? gpus({ nonce: deviceNonce }) : undefined
  const device_evidence_list = nvidia?.gpus.map((g) => ({
    arch: 'HOPPER',
    uuid: 'GPU-1',
    evidence: toBase64(g.report),
    certificate: toBase64(utf8(g.chainPem)),
  }))
  const additional = nvidia === undefined ? '' : JSON.stringify({ nvidia: { device_evidence_list } })
  const oldForm = { nonce, 'tee-pubkey': KEY }
  const committed = canonicalJson(guest.isOld === true ? oldForm : { 'additional-evidence': additional, ...oldForm })
  const hostData = guest.initData === undefined ? {} : { hostData: padded(hash('sha384', guest.initData.body), 32) }
  const machine = cpu({ report: { reportData: padded(hash(name, committed)), ...hostData } })
  const body = {
    'init-data':
      guest.initData === undefined ? null : { format: 'toml', body: guest.initData.sent ?? guest.initData.body },
    'runtime-data': { nonce: guest.sent?.nonce ?? nonce, 'tee-pubkey': guest.sent?.key ?? KEY },
    'tee-evidence':
      guest.isOld === true
        ? toBase64(machine.report)
        : {
            primary_evidence: toBase64(machine.report),
            additional_evidence: guest.sent?.additional?.(additional) ?? additional,
          },
  }
  const scene = {
    // An old guest has no place for its devices: they lie beside what it sends.
    evidence:
      guest.isOld === true && device_evidence_list !== undefined
        ? [
            { name: 'attest.json', bytes: json(body) },
            { name: 'gpu.json', bytes: utf8(JSON.stringify(device_evidence_list)) },
          ]
        : json(body),
    collateral: [
      machine.vek,
      machine.intermediate,
      ...amdCollateral(machine),
      ...(nvidia === undefined ? [] : nvidiaCollateral(nvidia)),
    ],
    anchors: [...amdAnchors(machine), ...(nvidia === undefined ? [] : nvidiaAnchors(nvidia))],
  }
  const how =
    nvidia === undefined
      ? { policy: cpuPolicy() }
      : { policy: gpuPolicy({ nonce: guest.required ?? 'composite' }), lease: LEASE }
  return judged(scene, { ...how, freshness: { kind: 'nonce', nonce: NONCE } })
}

const codes = ({ findings }: Decision) => findings.map((f) => f.code)
const INIT = 'version = "0.1.0"\nalgorithm = "sha384"\n[data]\n"aa.toml" = "x"\n'

describe('a Confidential Containers guest that attests', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('answers with its runtime data hashed by %s', async (name) => {
    expect((await attested({ hash: name })).verdict).toBe('accept')
  })

  it('may be one of before version 0.4', async () => {
    expect((await attested({ isOld: true })).verdict).toBe('accept')
    expect(codes(await attested({ isOld: true, sent: { key: { ...KEY, x: 'CCCC' } } }))).toEqual([
      'BIND_RUNTIME_DATA_MISMATCH',
    ])
  })

  it('commits to no GPUs before version 0.4, whatever lies beside', async () => {
    expect(codes(await attested({ isOld: true, withGpu: true, required: 'derived' }))).toEqual([])
    expect(codes(await attested({ isOld: true, withGpu: true }))).toEqual(['BIND_COMPOSITE_MISSING'])
  })

  it('commits to its GPUs', async () => {
    const decision = await attested({ withGpu: true })
    expect(codes(decision)).toEqual([])
    expect(decision.verdict).toBe('accept')
  })

  it('is bound to the init data that it was launched with', async () => {
    expect((await attested({ initData: { body: INIT } })).verdict).toBe('accept')
    const other = { initData: { body: INIT, sent: INIT.replace('"x"', '"y"') } }
    expect(codes(await attested(other))).toEqual(['BIND_INIT_DATA_MISMATCH'])
    const two = { initData: { body: INIT, sent: `${INIT}algorithm = "sha256"\n` } }
    expect(codes(await attested(two))).toEqual(['BIND_INIT_DATA_MALFORMED'])
  })

  it('cannot bring another key, nonce or device list than it hashed', async () => {
    const otherKey = { sent: { key: { ...KEY, x: 'CCCC' } } }
    expect(codes(await attested(otherKey))).toEqual(['BIND_RUNTIME_DATA_MISMATCH'])
    const otherNonce = { sent: { nonce: toBase64(new Uint8Array(32)) } }
    expect(codes(await attested(otherNonce))).toEqual(['BIND_NONCE_MISMATCH'])
    const respelt = { withGpu: true, sent: { additional: (text: string) => `${text} ` } }
    expect(codes(await attested(respelt))).toEqual(['BIND_RUNTIME_DATA_MISMATCH'])
    const extra = { sent: { key: { ...KEY, use: 'sig' } } }
    expect(codes(await attested(extra))).toEqual(['BIND_RUNTIME_DATA_MISMATCH'])
  })

  it('cannot bring a GPU that answered another session', async () => {
    const relayed = { withGpu: true, gpuNonceOf: { nonce: toHex(NONCE), 'tee-pubkey': KEY } }
    expect(codes(await attested(relayed))).toEqual(['GPU_NONCE_MISMATCH'])
  })
})

describe('evidence of our own agent', () => {
  it('has the report as bytes, with what the host gave for it', () => {
    const machine = cpu()
    const bodyWith = (certs: readonly string[]) => ({
      'init-data': null,
      'runtime-data': { nonce: toBase64(NONCE), 'tee-pubkey': KEY },
      'tee-evidence': { primary_evidence: { quote: toBase64(machine.report), certs }, additional_evidence: '' },
    })
    const read = readKbsAttestation(bodyWith([toBase64(machine.table)]))
    expect(read.ok && read.value.items).toMatchObject([{ kind: 'amd/snp-report', endorsements: [machine.table] }])
    const many = readKbsAttestation(bodyWith(Array.from({ length: 17 }, () => 'AAAA')))
    expect(many.ok ? [] : many.faults.map(({ code }) => code)).toEqual(['LIMIT_CERT_COUNT'])
  })
})
