import 'reflect-metadata'
import { createHash, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import { fromUtf8, toHex } from '../../src/core/encodings.ts'
import {
  collateralFiles,
  createIntelTestPki,
  editedJson,
  INTEL_NAMES,
  type IntelMachine,
  type LevelStatus,
  MODULE_LEVELS,
  PLATFORM_LEVELS,
  pcsAnswers,
  QE_LEVELS,
  SGX_OID,
  type SgxMachineOptions,
  sgxMachine,
  type TdxMachineOptions,
  tdxMachine,
  teeTcbSvn,
} from '../../src/testing/intel/index.ts'
import { describeEvidence, evidence, evidenceJson } from '../support/evidence.ts'
import {
  certificates,
  extensionsOf,
  holdsOf,
  moduleStatus,
  platformStatus,
  sgxExtension,
  shapeOf,
  walkQuote,
} from './intel-walk.ts'

const SEED = 'intel tests'
/** SHA-256 of one machine of each kind. Where it changes, every fixture and vector made by the kit changes. */
const GOLDEN = '5d0bb53768148046f9234ddb51e0b5e054b482d58cd840114f1c2d299f3e0748'

const broken = (machine: IntelMachine<object>): string[] =>
  Object.entries(holdsOf(machine))
    .filter(([, value]) => !value)
    .map(([name]) => name)

const TDX: readonly TdxMachineOptions[] = [
  {},
  { version: 5, body: 'td-1.0' },
  { version: 5 },
  { ca: 'processor' },
  { padTo: 5006 },
  { padTo: 8000, chainEndsWithNul: false },
  { signature: 's-negated' },
  { levelOrder: 'ascending' },
  { at: '2027-02-03T04:05:06Z', tcbEvaluationDataNumber: 21, qeEvaluationDataNumber: 20 },
  { td: { teeTcbSvn: teeTcbSvn(5, 3, 4) } },
  // Components 0 and 1 are the module's, which has levels of its own.
  { tcbInfo: (content) => editedJson(content, ['tcbLevels', 0, 'tcb', 'tdxtcbcomponents', 0, 'svn'], () => 200) },
  { td: { teeTcbSvn: teeTcbSvn(5, 0, 4) } },
]
const SGX: readonly SgxMachineOptions[] = [
  {},
  { version: 4 },
  { version: 5 },
  { ca: 'processor' },
  { tcbInfoVersion: 2 },
  { padTo: 5006 },
]

describe('a machine in good order', () => {
  it.each(TDX)('TDX %o: everything holds by a second reading', (options) => {
    expect(broken(tdxMachine(SEED, options))).toEqual([])
  })

  it.each(SGX)('SGX %o: everything holds by a second reading', (options) => {
    expect(broken(sgxMachine(SEED, options))).toEqual([])
  })

  it('is the same bytes every time, and others for another seed', () => {
    const digest = ({ quote, collateralJson }: IntelMachine<object>) =>
      createHash('sha256').update(quote).update(collateralJson).digest('hex')
    const make = () => [tdxMachine(SEED), tdxMachine(SEED, { version: 5 }), sgxMachine(SEED)].map(digest)
    expect(make()).toEqual(make())
    expect(digest(tdxMachine('another'))).not.toBe(digest(tdxMachine(SEED)))
    expect(createHash('sha256').update(make().join()).digest('hex')).toBe(GOLDEN)
  })

  it('has authorities that no seed changes and leaves that every seed does', () => {
    const [a, b] = [tdxMachine('a'), tdxMachine('b')]
    expect(a.trustedRoot).toEqual(b.trustedRoot)
    expect(a.chain[1]).toEqual(b.chain[1])
    expect(a.pckKey.spki).not.toEqual(b.pckKey.spki)
    expect(a.platform.ppid).not.toEqual(b.platform.ppid)
    expect(createIntelTestPki('a', { rogue: true }).authority('root').certificate).not.toEqual(a.trustedRoot)
  })

  it('is not Intel’s', () => {
    const spki = createHash('sha256').update(createIntelTestPki('a').authority('root').key.spki).digest('hex')
    expect(spki).not.toBe('a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e')
  })

  it('matches the level it was asked for, and no better one', () => {
    for (const { status } of PLATFORM_LEVELS.TDX) expect(statusOf(tdxMachine(SEED, { level: status }))).toBe(status)
    for (const { status } of PLATFORM_LEVELS.SGX) expect(statusOf(sgxMachine(SEED, { level: status }))).toBe(status)
    expect(new Set(PLATFORM_LEVELS.TDX.map(({ status }) => status)).size).toBe(7)
  })

  it('has the module it was asked for', () => {
    for (const [id, levels] of Object.entries(MODULE_LEVELS)) {
      for (const { isvSvn, status } of levels) {
        const machine = tdxMachine(SEED, { td: { teeTcbSvn: teeTcbSvn(isvSvn, Number(id.slice(-2)), 4) } })
        const walked = walkQuote(machine.quote)
        expect(walked && moduleStatus({ walked, tcbInfo: JSON.parse(machine.collateral.tcbInfo) })).toBe(status)
      }
    }
  })

  it('lists levels from the newest on', () => {
    const descending = (svns: readonly number[]) => svns.every((svn, i) => i === 0 || svn < (svns[i - 1] ?? 0))
    for (const levels of [...Object.values(MODULE_LEVELS), ...Object.values(QE_LEVELS)]) {
      expect(descending(levels.map(({ isvSvn }) => isvSvn))).toBe(true)
      expect(levels[0]?.status).toBe('UpToDate')
    }
  })

  it('puts fields where it is told and refuses those that do not fit', () => {
    const mrOwner = new Uint8Array(48).fill(7)
    expect(tdxMachine(SEED, { td: { mrOwner } }).quote.subarray(48 + 232, 48 + 280)).toEqual(mrOwner)
    expect(() => tdxMachine(SEED, { td: { mrOwner: new Uint8Array(47) } })).toThrow('mrOwner has 48 bytes, not 47')
    expect(() => tdxMachine(SEED, { td: { mrServiceTd: mrOwner } })).toThrow('behind the end')
    expect(() => tdxMachine(SEED, { version: 4, body: 'td-1.5' })).toThrow(TypeError)
  })
})

function statusOf(machine: IntelMachine<object>): LevelStatus | undefined {
  const walked = walkQuote(machine.quote)
  const sgx = sgxExtension(new X509Certificate(machine.pck))
  return (
    walked && sgx && (platformStatus({ walked, tcbInfo: JSON.parse(machine.collateral.tcbInfo), sgx }) as LevelStatus)
  )
}

describe('collateral', () => {
  const { collateral, collateralJson } = tdxMachine(SEED)

  it('is QuoteCollateralV3 as collectors save it', () => {
    const saved = JSON.parse(collateralJson) as Record<string, string>
    expect(Object.keys(saved)).toEqual([
      'pck_crl_issuer_chain',
      'root_ca_crl',
      'pck_crl',
      'tcb_info_issuer_chain',
      'tcb_info',
      'tcb_info_signature',
      'qe_identity_issuer_chain',
      'qe_identity',
      'qe_identity_signature',
    ])
    expect(saved.tcb_info).toBe(collateral.tcbInfo)
    expect(saved.pck_crl).toBe(toHex(collateral.pckCrl))
  })

  it('is four answers of PCS that hold the signed texts as they are', () => {
    const answers = pcsAnswers(collateral)
    expect(answers.map(({ url }) => url)).toEqual([
      'https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=b0c06f000000',
      'https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity',
      'https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
    ])
    const [tcb, qe, pckCrl] = answers
    const text = fromUtf8(tcb?.body ?? new Uint8Array(), 'tcb')
    expect(text.ok && text.value).toBe(`{"tcbInfo":${collateral.tcbInfo},"signature":"${collateral.tcbInfoSignature}"}`)
    expect(decodeURIComponent(qe?.headers['SGX-Enclave-Identity-Issuer-Chain'] ?? '')).toBe(
      collateral.qeIdentityIssuerChain,
    )
    expect(pckCrl?.body).toEqual(collateral.pckCrl)
  })

  it('is loose files, of which none is empty', () => {
    expect([...collateralFiles(collateral).keys()]).toEqual([
      'tdx-tcb-info.json',
      'tdx-tcb-info-chain.pem',
      'tdx-qe-identity.json',
      'tdx-qe-identity-chain.pem',
      'pck-platform-ca.crl',
      'pck-platform-ca-chain.pem',
      'root-ca.crl',
    ])
    const without = tdxMachine(SEED, { wrong: 'tcb-info-missing' }).collateral
    expect([...collateralFiles(without).keys()]).toHaveLength(5)
    expect(pcsAnswers(without)).toHaveLength(3)
    expect([...collateralFiles(tdxMachine(SEED, { wrong: 'pck-crl-missing' }).collateral).keys()]).toHaveLength(6)
  })
})

/** Everything in a certificate but keys, serial, dates and signature. */
const looks = (certificate: X509Certificate) => ({
  names: [certificate.subject, certificate.issuer],
  key: certificate.publicKey.asymmetricKeyDetails,
  serialBytes: Math.ceil(certificate.serialNumber.length / 2),
  years: certificate.validToDate.getUTCFullYear() - certificate.validFromDate.getUTCFullYear(),
  extensions: extensionsOf(new Uint8Array(certificate.raw)).map(([type, critical, value]) => [
    type,
    critical,
    KEY_IDS[type] ?? (type === SGX_OID ? shapeOf(Buffer.from(value, 'hex')) : value.replace(V3, V4)),
  ]),
})
/** Certificates issued before 2023 name the list by the older interface. */
const [V3, V4] = ['/v3/pckcrl', '/v4/pckcrl'].map((path) => Buffer.from(path).toString('hex')) as [string, string]
const KEY_IDS: Readonly<Record<string, string>> = { '2.5.29.35': 'issuer’s', '2.5.29.14': 'its own' }

/** Names and kinds of members, in their order; of a list the kinds that occur. */
function form(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((entry) => JSON.stringify(form(entry))))].sort()
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.entries(value).map(([name, member]) => [name, form(member)])
}

/** Without what a level or a component may have or not. */
const necessary = (text: string): unknown =>
  form(
    JSON.parse(text, (name, value) =>
      ['advisoryIDs', 'category', 'type'].includes(name) ? undefined : (value as unknown),
    ),
  )

interface Saved {
  readonly tcb_info: string
  readonly qe_identity: string
  readonly tcb_info_issuer_chain: string
  readonly root_ca_crl: string
  readonly pck_crl: string
}

describeEvidence('intel', () => {
  const chainOf = (quote: Uint8Array) => certificates(walkQuote(quote)?.cert.toString('latin1') ?? '') ?? []
  const real = (id: string) => evidence(`intel/${id}/quote.bin`)
  const saved = (id: string) => evidenceJson<Saved>(`intel/${id}/collateral.json`)

  it.each([
    ['platform', 'tdx-v4-dcapqvl-uptodate', tdxMachine(SEED)],
    ['processor', 'sgx-v3-teepot-out-of-date', sgxMachine(SEED, { ca: 'processor' })],
  ] as const)('certificates of a %s chain look like those of %s', (_, id, machine) => {
    const genuine = chainOf(real(id))
    const ours = chainOf(machine.quote)
    expect(ours.map(looks)).toEqual(genuine.map(looks))
    expect(ours.map((c) => c.serialNumber)).not.toEqual(genuine.map((c) => c.serialNumber))
  })

  it('the TCB signer looks like Intel’s', () => {
    const genuine = certificates(saved('tdx-v4-dcapqvl-uptodate').tcb_info_issuer_chain) ?? []
    const ours = certificates(tdxMachine(SEED).collateral.tcbInfoIssuerChain) ?? []
    expect(ours.map(looks)).toEqual(genuine.map(looks))
    expect(ours[0]?.subject).toContain(INTEL_NAMES.tcbSigner)
  })

  it('lists look like Intel’s', () => {
    const list = (der: Uint8Array) => new x509.X509Crl(Uint8Array.from(der))
    const shape = (crl: x509.X509Crl) => ({
      issuer: crl.issuer,
      version: crl.version,
      algorithm: crl.signatureAlgorithm,
      extensions: crl.extensions.map(({ type, critical, value }) => [
        type,
        critical,
        type === '2.5.29.20' ? toHex(new Uint8Array(value)) : '',
      ]),
      entry: crl.entries[0]?.extensions.map(({ type, value }) => [type, toHex(new Uint8Array(value))]),
    })
    const { root_ca_crl, pck_crl } = saved('tdx-v4-dcapqvl-uptodate')
    const ours = tdxMachine(SEED, { wrong: 'pck-revoked' }).collateral
    expect(shape(list(ours.rootCaCrl))).toEqual(shape(list(Buffer.from(root_ca_crl, 'hex'))))
    expect(shape(list(ours.pckCrl))).toEqual(shape(list(Buffer.from(pck_crl, 'hex'))))
  })

  it.each([
    ['tdx-v4-dcapqvl-uptodate', tdxMachine(SEED, { padTo: 5006 })],
    ['tdx-v4-flashbots-gcp-dcap-1766059550', tdxMachine(SEED, { padTo: 8000 })],
    ['tdx-v5-dcapqvl-outdated', tdxMachine(SEED, { version: 5 })],
    ['sgx-v3-teepot-azure', sgxMachine(SEED)],
  ] as const)('the quote lies as %s does', (id, machine) => {
    const [genuine, ours] = [walkQuote(real(id)), walkQuote(machine.quote)]
    if (genuine === undefined || ours === undefined) throw new TypeError('two quotes')
    const { end: realEnd, ...realOffsets } = genuine.offsets
    const { end, ...offsets } = ours.offsets
    expect(offsets).toEqual(realOffsets)
    expect(Math.abs(end - realEnd)).toBeLessThan(40)
    for (const fact of ['version', 'keyType', 'teeType', 'vendor', 'bodyType', 'certType'] as const) {
      expect(ours[fact], fact).toEqual(genuine[fact])
    }
    expect(ours.qeAuth.length).toBe(genuine.qeAuth.length)
    expect(ours.body.length).toBe(genuine.body.length)
    // Signer, product, flags and reserved bytes of the quoting enclave; its SVNs, measurement and report data are its own.
    for (const [from, to] of [
      [16, 64],
      [96, 258],
      [260, 320],
      [352, 384],
    ] as const) {
      expect(ours.qeReport.subarray(from, to)).toEqual(genuine.qeReport.subarray(from, to))
    }
    expect(ours.rest.every((byte) => byte === 0)).toBe(true)
    expect(machine.offsets).toEqual(offsetsOf(ours))
  })

  it.each([
    ['TDX', 'tdx-v4-dcapqvl-uptodate', tdxMachine(SEED)],
    ['SGX', 'sgx-v3-teepot-azure', sgxMachine(SEED)],
    ['SGX version 2', 'sgx-v3-automata-0625', sgxMachine(SEED, { tcbInfoVersion: 2 })],
  ] as const)('documents about %s have the members of those of %s, in their order', (_, id, { collateral }) => {
    const genuine = saved(id)
    expect(necessary(collateral.tcbInfo)).toEqual(necessary(genuine.tcb_info))
    expect(necessary(collateral.qeIdentity)).toEqual(necessary(genuine.qe_identity))
    expect(collateral.tcbInfo).toBe(JSON.stringify(JSON.parse(collateral.tcbInfo)))
  })

  it.each([
    ['tdx-v4-dcapqvl-uptodate', 'UpToDate', 'UpToDate'],
    ['sgx-v3-teepot-azure', 'SWHardeningNeeded', undefined],
    ['derived-tdx-v4-afb2d8f7-90c06f000000-ev19', 'OutOfDate', 'UpToDate'],
  ])('the second reading comes to Intel’s result for %s', (id, platform, module) => {
    const walked = walkQuote(real(id))
    const [leaf] = chainOf(real(id))
    const sgx = leaf && sgxExtension(leaf)
    if (walked === undefined || sgx === undefined) throw new TypeError('a quote with a PCK certificate')
    const judged = { walked, sgx, tcbInfo: JSON.parse(saved(id).tcb_info) as Record<string, unknown> }
    expect(platformStatus(judged)).toBe(platform)
    if (module !== undefined) expect(moduleStatus(judged)).toBe(module)
  })
})

/** Where the parts of a walked quote must lie, by their sizes alone. */
function offsetsOf({ offsets: { body, authLength }, version, qeAuth }: NonNullable<ReturnType<typeof walkQuote>>) {
  const qeReport = authLength + 4 + 128 + (version === 3 ? 0 : 6)
  return {
    body,
    authLength,
    signature: authLength + 4,
    attestationKey: authLength + 68,
    outer: version === 3 ? undefined : authLength + 132,
    qeReport,
    qeSignature: qeReport + 384,
    qeAuthLength: qeReport + 448,
    certification: qeReport + 450 + qeAuth.length,
  }
}
