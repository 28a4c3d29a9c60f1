import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, describe, expect, it } from 'vitest'
import { filterBidsByConfidentialHardware } from '../../examples/akash-console/bid-filter.ts'
import { createLeaseAndSendManifest } from '../../examples/akash-console/create-lease.ts'
import { bidOf, orderOf, SDL } from '../../examples/akash-console/marketplace.ts'
import { showPosture } from '../../examples/akash-console/posture.ts'
import {
  collateralFor,
  gateOptions,
  NOW,
  providerNamed,
  rehearsalGate,
  trustingTheTestKit,
} from '../../examples/akash-console/rehearsal.ts'
import type { ValidateAnswer } from '../../examples/akash-console/validate-answer.ts'
import { type Validation, validateRoute } from '../../examples/akash-console/validate-route.ts'
import { type BidRow, type Policy, parsePolicy, verify } from '../../src/index.ts'
import { describeEvidence, evidenceJson } from '../support/evidence.ts'

const policyFrom = (preset: string): Policy => {
  const parsed = parsePolicy(JSON.stringify({ version: 1, name: 'console', extends: preset }))
  if (!parsed.ok) throw new TypeError(parsed.faults[0].code)
  return parsed.value
}
const [CPU, GPU] = [policyFrom('cpu-confidential'), policyFrom('h100-confidential')]
const provider = await providerNamed('machine', new Uint8Array(32).fill(1))
const COLLATERAL = await collateralFor([provider.name])

describe('npm run example', () => {
  const ran = spawnSync(process.execPath, [resolve('examples/akash-console/run.ts')], { encoding: 'utf8' })
  const steps = ran.stdout.split('\n\n')

  it('ends well', () => {
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(steps).toHaveLength(7)
  })

  it('says first that it trusts what the package does not', () => {
    expect(steps[0]).toMatch(/^THIS IS A REHEARSAL/)
    expect(steps[0]).toContain('The gate of the package refuses it, roots injected or not: GATE_ANCHORS_INJECTED.')
  })

  it('filters a provider out that only advertises, and one that can be read by its host, with the reason', () => {
    expect(steps[1]).toMatch(
      /honest: accept, with a credential\n {2}hidden: fake {2}GATE_EVIDENCE_NEEDED\n .+\n {2}shown: {2}honest$/,
    )
    expect(steps[2]).toMatch(
      /fake: reject\n +SNP_POLICY_DEBUG_ALLOWED: Launch the guest with guest-policy bit 19 clear/,
    )
    expect(steps[2]).toMatch(
      /hidden: fake {2}GATE_NOT_ACCEPTED \(SNP_POLICY_DEBUG_ALLOWED\)\n .+\n {2}shown: {2}honest$/,
    )
  })

  it('signs no lease with it, and admits it after the remedy', () => {
    expect(steps[3]).toMatch(/\n {2}GateError GATE_NOT_ACCEPTED\n {2}sent: nothing$/)
    expect(steps[4]).toMatch(
      /fake: accept, with a credential\n {2}shown: {2}honest, fake\n {2}sent: MsgCreateLease to fake, manifest to fake$/,
    )
    expect(steps[5]).toMatch(/\n {2}inconclusive GATE_EVIDENCE_NEEDED$/)
  })

  it('validates evidence over HTTP', () => {
    expect(steps[6]).toMatch(
      /\n {2}valid\n {4}cpu valid: .+\n {4}gpu valid: .+\n {2}invalid\n {4}cpu invalid: BIND_NONCE_MISMATCH/,
    )
  })
})

describe('the bid filter and the create-lease step', () => {
  const bids = [bidOf(provider.address)]

  it('hide nothing in shadow mode, and tell what they would', async () => {
    const gate = rehearsalGate({ ...gateOptions(COLLATERAL), enforce: false })
    await gate.refresh()
    const told: BidRow[] = []
    expect(filterBidsByConfidentialHardware(gate, GPU, (row) => told.push(row))(bids)).toEqual(bids)
    expect(told.map((row) => row.findings[0]?.code)).toEqual(['GATE_EVIDENCE_NEEDED'])
    expect(filterBidsByConfidentialHardware(gate, GPU, () => undefined)([])).toEqual([])
  })

  it('send nothing for an order that gives its secrets away', async () => {
    const gate = rehearsalGate(gateOptions(COLLATERAL))
    await gate.refresh()
    await showPosture({ gate, policy: GPU }, provider, 'confidential')
    const sent: string[] = []
    const chain = {
      createLease: async () => void sent.push('lease'),
      sendManifest: async () => void sent.push('manifest'),
    }
    const order = { bid: bidOf(provider.address), order: orderOf(), sdl: SDL }
    const leaky = SDL.replace('params:', 'env: [API_KEY=hunter2hunter2]\n    params:')
    await expect(createLeaseAndSendManifest({ gate, policy: GPU, chain }, { ...order, sdl: leaky })).rejects.toThrow(
      'SDL_SECRET_IN_CLEAR',
    )
    expect(sent).toEqual([])
    await createLeaseAndSendManifest({ gate, policy: GPU, chain }, order)
    expect(sent).toEqual(['lease', 'manifest'])
  })
})

const NONCE = new Uint8Array(64).fill(7)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bodyOf = (how: 'confidential' | 'debug' = 'confidential') => ({
  nonce: base64(NONCE),
  ...provider.quote(NONCE, how),
})

const { injectedAnchors, cache } = gateOptions(COLLATERAL)
const errors: unknown[] = []
const VALIDATION: Validation = {
  judge: trustingTheTestKit,
  policies: { cpu: CPU, gpu: GPU },
  now: () => NOW,
  collateral: async () => COLLATERAL,
  onError: (error) => errors.push(error),
  context: { injectedAnchors, referenceValues: [], cache },
}
const servers: ReturnType<typeof createServer>[] = []
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

async function post(body: unknown, changed: Partial<Validation> = {}) {
  const server = createServer(validateRoute({ ...VALIDATION, ...changed }))
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: text })
  return { status: answer.status, answer: (await answer.json()) as ValidateAnswer }
}

describe('the attestation-validate route', () => {
  const all = { certChainValid: true, signatureValid: true, nonceMatch: true, notRevoked: true }
  const cpu = { kind: 'cpu', vendor: 'amd-sev-snp' }
  const gpu = { kind: 'gpu', vendor: 'nvidia', device_index: 0 }

  it('finds valid what is', async () => {
    const { status, answer } = await post(bodyOf())
    expect(status).toBe(200)
    expect(answer).toMatchObject({ overall: 'valid', nonce: base64(NONCE) })
    expect(answer.reports).toMatchObject([
      { ...cpu, status: 'valid', checks: all },
      { ...gpu, status: 'valid', checks: all },
    ])
  })

  it('says what is wrong, and what was right before', async () => {
    const debug = (await post(bodyOf('debug'))).answer
    expect(debug.overall).toBe('invalid')
    expect(debug.reports).toMatchObject([{ status: 'invalid', checks: { nonceMatch: true } }, { status: 'valid' }])
    expect(debug.reports[0]?.detail).toMatch(/^SNP_POLICY_DEBUG_ALLOWED: /)

    const stale = (await post({ ...bodyOf(), nonce: base64(new Uint8Array(64)) })).answer
    for (const report of stale.reports)
      expect(report).toMatchObject({ status: 'invalid', checks: { signatureValid: true, nonceMatch: false } })

    const report = new Uint8Array(Buffer.from(bodyOf().report, 'base64'))
    report[0x50] = (report[0x50] ?? 0) ^ 1
    const forged = (await post({ ...bodyOf(), report: base64(report) })).answer
    expect(forged.reports[0]).toMatchObject({
      ...{ status: 'invalid', checks: { certChainValid: true, signatureValid: false } },
      detail: expect.stringMatching(/^SNP_SIGNATURE_INVALID/),
    })

    const withoutGpu = (await post({ ...bodyOf(), gpu_reports: [] })).answer
    expect(withoutGpu).toMatchObject({ overall: 'invalid', reports: [{ ...cpu, status: 'invalid' }] })
    expect(withoutGpu.reports[0]?.detail).toContain('GPU_COUNT_ZERO')
  })

  it('tells what is missing from what is wrong', async () => {
    const collateral = async () => ({ ...COLLATERAL, ocspResponses: [] })
    const { answer } = await post(bodyOf(), { collateral })
    expect(answer).toMatchObject({
      overall: 'unverifiable',
      reports: [{ status: 'valid' }, { status: 'unverifiable' }],
    })
    expect(answer.reports[1]?.checks?.notRevoked).toBeUndefined()
  })

  it('trusts no test kit as the package does it', async () => {
    const { answer } = await post(bodyOf(), { judge: verify })
    expect(answer.overall).toBe('invalid')
    expect(answer.reports[0]?.detail).toMatch(/^GATE_ANCHORS_INJECTED/)
    const pinned = await post(bodyOf(), { judge: verify, context: { ...VALIDATION.context, injectedAnchors: [] } })
    expect(pinned.answer.reports[0]).toMatchObject({ status: 'invalid', checks: { certChainValid: false } })
  })

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['a list', []],
    ['nothing', {}],
    ['no nonce', { ...bodyOf(), nonce: undefined }],
    ['a nonce of 32 bytes', { ...bodyOf(), nonce: base64(new Uint8Array(32)) }],
    ['another platform', { ...bodyOf(), tee_platform: 'sgx' }],
    ['a platform of the prototype', { ...bodyOf(), tee_platform: 'constructor' }],
    ['GPU reports that are no list', { ...bodyOf(), gpu_reports: {} }],
    ['a GPU report without index', { ...bodyOf(), gpu_reports: [{ report: '' }] }],
    ['more than two MiB', { ...bodyOf(), auxblob: 'A'.repeat(3 * 1024 * 1024) }],
  ])('answers 400 to %s', async (_, body) => {
    expect(await post(body)).toEqual({ status: 400, answer: { message: 'Invalid request body' } })
  })

  it('tells its clients nothing of what fails behind it', async () => {
    const collateral = () => Promise.reject(new Error('https://kds.internal is down'))
    const failed = await post(bodyOf(), { collateral })
    expect(failed).toEqual({ status: 503, answer: { message: 'Attestation cannot be validated now' } })
    expect(errors).toHaveLength(1)
  })
})

interface OpenApi {
  readonly [path: string]: {
    readonly post: {
      readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: object } } }
      readonly responses: {
        readonly '200': { readonly content: { readonly 'application/json': { readonly schema: object } } }
      }
    }
  }
}

interface Wire {
  readonly cases: readonly { readonly name: string; readonly nonce: string; readonly quote: object }[]
}

describeEvidence('akash/wire', () => {
  const { post: route } =
    evidenceJson<OpenApi>('akash/wire/console-openapi-excerpt.json')['/v1/confidential-compute/attestation/validate'] ??
    {}
  const ajv = new Ajv({ strict: false })
  const isRequest = ajv.compile(route?.requestBody.content['application/json'].schema ?? false)
  const isAnswer = ajv.compile(route?.responses['200'].content['application/json'].schema ?? false)

  it.each(['confidential', 'debug'] as const)('request and answer for a %s guest are those of Console', async (how) => {
    expect([isRequest(bodyOf(how)), isRequest.errors]).toEqual([true, null])
    const { answer } = await post(bodyOf(how))
    expect([isAnswer(answer), isAnswer.errors]).toEqual([true, null])
  })

  const { cases } = evidenceJson<Wire>('akash/wire/negative-bundles.json')
  it.each(cases.map((c) => [c.name, { nonce: c.nonce, ...c.quote }] as const))(
    'answers %s as Console would be answered, and never with valid',
    async (_, body) => {
      const { status, answer } = await post(body)
      if (status === 400) return expect(isRequest(body) && Buffer.from(body.nonce, 'base64').length === 64).toBe(false)
      expect([isAnswer(answer), isAnswer.errors]).toEqual([true, null])
      expect(answer.overall).toBe('invalid')
    },
  )
})
