import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type CollateralRequest, obtainCollateral } from '../../src/collateral/index.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { CODES, type Code } from '../../src/core/codes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import { td } from '../reject/intel-stage.ts'
import { AT, cpu, gpus } from '../reject/stage.ts'
import { type BareScene, bareBoth, bareSnp, bareTdx, stockFor } from './bare.ts'
import { Fleet, type FleetFault } from './fleet.ts'
import { clientOf, judgedBare } from './stage.ts'
import { pemOf, responderOf, type Served } from './vendor-objects.ts'

const SNP = bareSnp()
const CPU = cpu()
const OTHER_CHIP = cpu({ chipId: new Uint8Array(64).fill(7) })
const TURIN = cpu({ product: 'Turin', report: { version: 5 } })
const TDX = bareTdx()
const BOTH = bareBoth()
const KEYS = utf8('{"keys":[{"kty":"EC","kid":"one","crv":"P-256","x":"AA","y":"AA"}]}')

let fleet: Fleet
/** One of each kind, by its kind. */
const objects = new Map<string, CollateralRequest>([['jwks', { kind: 'jwks', issuer: 'intel-ita' }]])
beforeAll(async () => {
  const stock = stockFor(SNP, TDX, BOTH)
  fleet = await Fleet.start(stock.add('portal.trustauthority.intel.com/certs', { contentType: JSON_TYPE, body: KEYS }))
  for (const { evidence, anchors } of [TDX, BOTH]) {
    const { fetchObject } = clientOf(fleet, AT)
    const obtained = await obtainCollateral(evidence, { fetchObject, injectedAnchors: anchors })
    for (const { request } of obtained.objects) objects.set(request.kind, request)
  }
})
afterAll(() => fleet.close())
afterEach(() => fleet.heal())

const JSON_TYPE = 'application/json'
const objectOf = (kind: CollateralRequest['kind']): CollateralRequest => {
  const request = objects.get(kind)
  if (request === undefined) throw new TypeError(`the fleet has no ${kind}`)
  return request
}

const CODE_OF: Readonly<Record<FleetFault, Code>> = {
  'not found': 'COLLATERAL_NOT_PUBLISHED',
  gone: 'COLLATERAL_NOT_PUBLISHED',
  throttled: 'COLLATERAL_THROTTLED',
  'server error': 'COLLATERAL_VENDOR_FAILED',
  forbidden: 'COLLATERAL_REQUEST_REFUSED',
  silent: 'COLLATERAL_DEADLINE_PASSED',
  reset: 'COLLATERAL_UNAVAILABLE',
  refused: 'COLLATERAL_UNAVAILABLE',
  truncated: 'COLLATERAL_TRUNCATED',
  empty: 'COLLATERAL_EMPTY',
  HTML: 'COLLATERAL_RESPONSE_INVALID',
  untyped: 'COLLATERAL_RESPONSE_INVALID',
  compressed: 'COLLATERAL_RESPONSE_INVALID',
  garbage: 'COLLATERAL_RESPONSE_INVALID',
  'no HTTP': 'COLLATERAL_RESPONSE_INVALID',
  redirect: 'COLLATERAL_REDIRECTED',
  oversize: 'COLLATERAL_OVERSIZE',
  'announced oversize': 'COLLATERAL_OVERSIZE',
  stranger: 'COLLATERAL_TLS_FAILED',
  'no such name': 'COLLATERAL_HOST_UNKNOWN',
}
const FAULTS = Object.keys(CODE_OF) as FleetFault[]

/** Attempts end soon where the service is silent, and one is enough. */
const BRIEF = { attemptSeconds: 0.25, patience: { attempts: 2 } }
const briefly = (fault: FleetFault) => clientOf(fleet, AT, fault === 'silent' ? BRIEF : { patience: { attempts: 2 } })

describe('every fault of a service has a code of its own', () => {
  it.each(FAULTS)('%s', async (fault) => {
    fleet.break(/./, fault)
    const outcomes = [...objects].map(async ([kind, request]) => {
      const outcome = await briefly(fault).fetchObject(request)
      return [kind, outcome.ok ? [] : outcome.faults.map(({ code }) => code)] as const
    })
    expect(await Promise.all(outcomes)).toEqual([...objects.keys()].map((kind) => [kind, [CODE_OF[fault]]]))
    fleet.heal()
    const healed = [...objects.values()].map((request) => clientOf(fleet, AT).fetchObject(request))
    expect((await Promise.all(healed)).every((outcome) => outcome.ok)).toBe(true)
  })

  it('all of them inconclusive', () => {
    expect(Object.values(CODE_OF).filter((code) => CODES[code].verdict !== 'inconclusive')).toEqual([])
    expect([...objects.keys()].sort()).toEqual([
      ...['amd-chain', 'amd-crl', 'amd-vcek', 'intel-pck-crl', 'intel-qe-identity', 'intel-root-crl'],
      ...['intel-tcb-info', 'jwks', 'nvidia-ocsp', 'nvidia-rim'],
    ])
  })
})

describe('an answer about something else', () => {
  const MACHINE = gpus()
  const json = (value: object): Served => ({ contentType: JSON_TYPE, body: utf8(JSON.stringify(value)) })
  const der = (body: Uint8Array): Served => ({ contentType: 'application/octet-stream', body })
  const pemType = 'application/x-pem-file'
  const { collateral } = td()
  const intel = (member: string, value: string) => (): Served => ({
    contentType: JSON_TYPE,
    headers: { 'TCB-Info-Issuer-Chain': 'a', 'SGX-Enclave-Identity-Issuer-Chain': 'a' },
    body: utf8(`{"${member}":${value},"signature":"00"}`),
  })
  const manifest = (change: object) => () =>
    json({ id: rimRequest().id, rim: toBase64(MACHINE.driverRim.bytes), ...change })
  const rimRequest = () => objectOf('nvidia-rim') as Extract<CollateralRequest, { kind: 'nvidia-rim' }>

  const CASES: readonly (readonly [string, CollateralRequest['kind'], (question: Uint8Array) => Served | undefined])[] =
    [
      ['a VCEK of another chip', 'amd-vcek', () => der(OTHER_CHIP.vek)],
      ['a VCEK of another TCB', 'amd-vcek', () => der(cpu({ tcb: { snp: 9 } }).vek)],
      [
        'authorities of another product',
        'amd-chain',
        () => ({ contentType: pemType, body: pemOf(TURIN.intermediate, TURIN.ark) }),
      ],
      ['a list of another product', 'amd-crl', () => der(TURIN.crl)],
      [
        'another platform',
        'intel-tcb-info',
        intel('tcbInfo', collateral.tcbInfo.replace(/"fmspc":"../, '"fmspc":"77')),
      ],
      ['the other technology', 'intel-tcb-info', intel('tcbInfo', collateral.tcbInfo.replace('"TDX"', '"SGX"'))],
      [
        'another enclave',
        'intel-qe-identity',
        intel('enclaveIdentity', collateral.qeIdentity.replace('"TD_QE"', '"QE"')),
      ],
      ['a list of another issuer', 'intel-pck-crl', () => der(collateral.rootCaCrl)],
      ['a list of another issuer', 'intel-root-crl', () => der(collateral.pckCrl)],
      ['a manifest of another id', 'nvidia-rim', manifest({ id: 'NV_GPU_DRIVER_GH100_1.2.3' })],
      ['a manifest of another digest', 'nvidia-rim', manifest({ sha256: '00'.repeat(32) })],
      ['an answer to another question', 'nvidia-ocsp', responderOf(MACHINE, AT, { wrong: 'nonce-other' })],
      ['an answer to no question', 'nvidia-ocsp', responderOf(MACHINE, AT, { nonce: new Uint8Array() })],
      ['another certificate', 'nvidia-ocsp', responderOf(MACHINE, AT, { wrong: 'certid-sibling' })],
      ['another issuer', 'nvidia-ocsp', responderOf(MACHINE, AT, { wrong: 'certid-issuer' })],
    ]
  it.each(CASES)('COLLATERAL_ANSWER_MISMATCH: %s (%s)', async (_, kind, answer) => {
    fleet.substitute(/./, answer)
    const outcome = await clientOf(fleet, AT).fetchObject(objectOf(kind))
    expect(outcome.ok ? [] : outcome.faults.map(({ code }) => code)).toEqual(['COLLATERAL_ANSWER_MISMATCH'])
  })

  const FORMS: readonly (readonly [string, CollateralRequest['kind'], (question: Uint8Array) => Served | undefined])[] =
    [
      [
        'an answer without its issuer chain',
        'intel-tcb-info',
        () => ({ ...intel('tcbInfo', collateral.tcbInfo)(), headers: {} }),
      ],
      ['one certificate in place of two', 'amd-chain', () => ({ contentType: pemType, body: pemOf(TURIN.ark) })],
      ['an authority in place of a VCEK', 'amd-vcek', () => der(CPU.intermediate)],
      ['a manifest that is no base64', 'nvidia-rim', manifest({ rim: '***' })],
      ['a manifest that is no XML', 'nvidia-rim', manifest({ rim: toBase64(utf8('manifest')) })],
      ['a responder that is busy', 'nvidia-ocsp', responderOf(MACHINE, AT, { wrong: 'try-later' })],
      ['a private key among the public ones', 'jwks', () => json({ keys: [{ kty: 'EC', kid: 'a', d: 'AA' }] })],
      ['no keys', 'jwks', () => json({ keys: [] })],
      ['a key without its id', 'jwks', () => json({ keys: [{ kty: 'EC' }] })],
    ]
  it.each(FORMS)('COLLATERAL_RESPONSE_INVALID: %s (%s)', async (_, kind, answer) => {
    fleet.substitute(/./, answer)
    const outcome = await clientOf(fleet, AT).fetchObject(objectOf(kind))
    expect(outcome.ok ? [] : outcome.faults.map(({ code }) => code)).toEqual(['COLLATERAL_RESPONSE_INVALID'])
  })

  it('says of a manifest that is not published what it is for', async () => {
    fleet.break(/rim/, 'not found')
    const actualOf = async (id: string) => {
      const outcome = await clientOf(fleet, AT).fetchObject({ kind: 'nvidia-rim', id })
      return outcome.ok ? undefined : outcome.faults[0].actual
    }
    expect(await actualOf(MACHINE.vbiosRim.id)).toBe('NVIDIA publishes no manifest for this VBIOS')
    expect(await actualOf(MACHINE.driverRim.id)).toBe('NVIDIA publishes no manifest for this driver')
    expect(await actualOf('NV_SWITCH_BIOS_5612_0002_890_9610550001')).toBe(
      'NVIDIA publishes no manifest for this switch BIOS',
    )
  })
})

/** Each fault at one place by turns, or with VOUCHSAFE_FLEET_FAULTS=all at every place. */
const EVERYWHERE = process.env.VOUCHSAFE_FLEET_FAULTS === 'all'

describe('no fault of a service makes a decision of its own', () => {
  const REFUSED = {
    snp: bareSnp({ wrong: 'policy-debug' }),
    tdx: bareTdx({ wrong: 'quote-signature-other-key' }),
    both: bareBoth({ wrong: 'signed-by-other-key' }),
  }
  const SCENES: readonly (readonly [string, BareScene, BareScene, readonly RegExp[]])[] = [
    ['SNP', SNP, REFUSED.snp, [/^kdsintf/, /\?/, /cert_chain/, /\/crl$/]],
    ['TDX', TDX, REFUSED.tdx, [/^(api|certificates)\.trusted/, /\/tcb\?/, /identity/, /pckcrl/, /RootCA/]],
    ['SNP and GPU', BOTH, REFUSED.both, [/^rim/, /^ocsp/]],
  ]

  it.each(SCENES)('%s', async (_, good, bad, places) => {
    const verdictOf = async (scene: BareScene, fault: FleetFault) =>
      (await judgedBare(scene, briefly(fault).fetchObject)).decision.verdict
    expect(await verdictOf(good, 'empty')).toBe('accept')
    expect(await verdictOf(bad, 'empty')).toBe('reject')
    for (const [i, fault] of FAULTS.entries()) {
      for (const where of EVERYWHERE ? places : [places[i % places.length] ?? /./]) {
        fleet.break(where, fault)
        const [was, isBad] = [await verdictOf(good, fault), await verdictOf(bad, fault)]
        expect(['accept', 'inconclusive'], `${fault} at ${where}`).toContain(was)
        expect(['reject', 'inconclusive'], `${fault} at ${where}`).toContain(isBad)
        // The first place of each scene is the whole service, without which nothing is accepted.
        if (where === places[0]) expect(was, `${fault} at ${where}`).toBe('inconclusive')
      }
    }
  })
})
