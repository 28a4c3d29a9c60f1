import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import {
  akashCollector,
  type Collector,
  collectEvidence,
  nvmlCollector,
  type Question,
  type SidecarOptions,
  savedCollector,
  sidecarCollector,
  tsmCollector,
} from '../../src/collect/index.ts'
import type { Code } from '../../src/core/codes.ts'
import { codesOf, valueIn } from '../core/support.ts'
import { akashQuote, akashScene, cpu, judged, NONCE, NOW } from '../reject/stage.ts'
import {
  type Answer,
  type Gateway,
  gateway,
  IDENTITY,
  identity,
  OWNER,
  OWNER_SECRET,
  PROVIDER,
  quoting,
  status,
} from './gateway.ts'
import { TsmKernel } from './tsm-kernel.ts'

const QUESTION: Question = { nonce: NONCE, key: undefined, binding: 'raw' }
const MACHINE = cpu()
const QUOTE = akashQuote(MACHINE, undefined)
const SIDECAR = identity('akash-attestation-sidecar')

const open: Gateway[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function served(answer: Answer, who = SIDECAR): Promise<Gateway> {
  const one = await gateway([answer], who)
  open.push(one)
  return one
}

/** The sidecar asks for no token. */
const sidecarQuoting: Answer = (request, response) => {
  if (request.path !== '/quote' || request.authorization !== '') response.writeHead(404).end()
  else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(QUOTE))
}

const sidecar = (url: string, changed: Partial<SidecarOptions> = {}): Collector =>
  sidecarCollector({
    url,
    tls: { certificateSha256: SIDECAR.sha256 },
    clock: () => NOW,
    timeoutMilliseconds: 20_000,
    ...changed,
  })

describe('sidecarCollector', () => {
  it('brings the quote response, which verify accepts', async () => {
    const { endpoint, seen } = await served(sidecarQuoting)
    const { bytes } = valueIn(await collectEvidence([sidecar(endpoint)], QUESTION))
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ nonce: Buffer.from(NONCE).toString('base64'), bind_tls: false })
    expect((await judged({ ...akashScene(MACHINE), evidence: bytes })).verdict).toBe('accept')
  })

  it('takes another certificate where the operator says so by name, and not otherwise', async () => {
    const { endpoint, seen } = await served(sidecarQuoting, identity('somebody'))
    expect(codesOf(await sidecar(endpoint).collect(QUESTION, []))).toEqual(['COLLECT_SIDECAR_CERTIFICATE_MISMATCH'])
    expect(seen).toEqual([])
    expect((await sidecar(endpoint, { tls: { insecure: true } }).collect(QUESTION, [])).ok).toBe(true)
  })

  it.each<[string, Answer, Code]>([
    ['the hardware gives no quote', status(503), 'AKASH_QUOTE_FAILED'],
    ['it is no sidecar', status(404), 'COLLECT_SIDECAR_ANSWER_UNUSABLE'],
    ['the answer is no JSON', status(200, { 'Content-Type': 'text/html' }), 'COLLECT_SIDECAR_ANSWER_UNUSABLE'],
    ['the answer breaks off', (_, response) => response.destroy(), 'COLLECT_SIDECAR_ANSWER_UNUSABLE'],
  ])('where %s', async (_, answer, code) => {
    const { endpoint } = await served(answer)
    expect(codesOf(await sidecar(endpoint).collect(QUESTION, []))).toEqual([code])
  })

  it('where nobody is there, or stays silent', async () => {
    const { endpoint } = await served(() => {})
    expect(codesOf(await sidecar(endpoint, { timeoutMilliseconds: 300 }).collect(QUESTION, []))).toEqual([
      'COLLECT_SIDECAR_UNREACHABLE',
    ])
    expect(codesOf(await sidecar('https://127.0.0.1:1').collect(QUESTION, []))).toEqual(['COLLECT_SIDECAR_UNREACHABLE'])
  })

  it('is asked what AEP-83 can answer, at an address that is one', async () => {
    await expect(sidecar('https://127.0.0.1:1').collect({ ...QUESTION, binding: 'derived' }, [])).rejects.toThrow(
      TypeError,
    )
    expect(() => sidecar('http://127.0.0.1:8790')).toThrow(TypeError)
    expect(() => sidecar('https://127.0.0.1:8790', { tls: { certificateSha256: 'ab' } })).toThrow(TypeError)
  })
})

describe('akashCollector', () => {
  it('brings what the gateway gives', async () => {
    const { endpoint } = await served(quoting(QUOTE), IDENTITY)
    const sign = (message: Uint8Array) => secp256k1.sign(message, OWNER_SECRET)
    const collector = akashCollector(
      {
        endpoint,
        provider: PROVIDER,
        providerCertSha256: IDENTITY.sha256,
        lease: { owner: OWNER, dseq: '18412345', gseq: 1, oseq: 1 },
        authorisation: { sign, leases: 'provider' },
        deadlineMilliseconds: 60_000,
      },
      () => NOW,
    )
    const { evidence } = valueIn(await collector.collect(QUESTION, []))
    expect(evidence).toMatchObject({ kind: 'document' })
  })
})

describe('savedCollector', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-saved-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('brings the file as it is', async () => {
    const path = join(folder, 'bundle.json')
    writeFileSync(path, JSON.stringify(QUOTE))
    const collector = savedCollector(path)
    expect(Buffer.from(valueIn(await collectEvidence([collector], QUESTION)).bytes).toString()).toBe(
      JSON.stringify(QUOTE),
    )
    expect((await collector.probe()).facts).toEqual({ bytes: String(JSON.stringify(QUOTE).length) })
  })

  it('says that there is none, or that it is too large', async () => {
    const large = join(folder, 'large')
    writeFileSync(large, new Uint8Array(1024 * 1024 + 1))
    for (const path of [join(folder, 'none'), large])
      expect(codesOf(await savedCollector(path).collect(QUESTION, []))).toEqual(['COLLECT_SAVED_UNREADABLE'])
    expect(codesOf(await savedCollector(folder).collect(QUESTION, []))).toEqual(['COLLECT_SAVED_UNREADABLE'])
  })
})

describe('collectEvidence', () => {
  it('tells the faults of every source, and brings no part of a machine', async () => {
    const without = tsmCollector({ files: new TsmKernel(undefined) })
    const noGpu = nvmlCollector({ library: '/nowhere/libnvidia-ml.so.1' })
    expect(codesOf(await collectEvidence([without, noGpu], QUESTION))).toEqual([
      'COLLECT_NVML_LIBRARY_ABSENT',
      'COLLECT_TSM_PROVIDER_ABSENT',
    ])
  })

  it('lets a document stand alone', async () => {
    const saved = savedCollector('/nowhere')
    await expect(collectEvidence([saved, saved], QUESTION)).rejects.toThrow(TypeError)
    await expect(collectEvidence([saved], { ...QUESTION, nonce: new Uint8Array(32) })).rejects.toThrow(TypeError)
  })
})
