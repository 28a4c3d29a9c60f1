import { describe, expect, it, test } from 'vitest'
import { type CollateralSet, type Origin, sortCollateral } from '../../../src/attestation/collateral.ts'
import { authenticateEndorsements, type DcapEndorsements } from '../../../src/attestation/dcap/collateral.ts'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { attemptAsync, type Outcome, take } from '../../../src/core/outcome.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { mergeCollateral } from '../../../src/index.ts'
import { ext, pem } from '../../../src/testing/pki/certificate.ts'
import { ecKey } from '../../../src/testing/pki/keys.ts'
import { accepted, refused } from '../../reject/row.ts'
import { contextAt, pckPath } from './collateral-support.ts'
import {
  ANCHOR,
  answer,
  CA_EXTENSIONS,
  chainPem,
  EXTENSION,
  KEYS,
  NAMES,
  NOW,
  PCK,
  PLATFORM_CA,
  pckCrl,
  qeIdentityOf,
  rootCertificate,
  rootCrl,
  SERIALS,
  signerCertificate,
  tcbInfoOf,
} from './intel-authority.ts'

const CHAIN = utf8(chainPem())
const INFO = answer(tcbInfoOf('TDX'))
const QE = answer(qeIdentityOf('TDX'))
const LISTS = [rootCrl(), pckCrl()]
const ALL = [INFO, QE, CHAIN, ...LISTS]
/** Everything, with some objects replaced. */
const but = (replaced: Uint8Array, ...by: readonly Uint8Array[]) => [...ALL.filter((f) => f !== replaced), ...by]

async function collateralOf(files: readonly Uint8Array[], origin: Origin): Promise<CollateralSet> {
  const named = files.map((bytes, i) => ({ name: `file-${i}`, bytes }))
  const { collateral, faults } = await sortCollateral(contextAt(NOW), named, origin)
  if (faults.length > 0) throw new TypeError(JSON.stringify(faults))
  return collateral
}

interface Judging {
  readonly tee?: Tee
  readonly now?: number
  /** what the sender laid beside its evidence */
  readonly beside?: readonly Uint8Array[]
}

async function judged(files: readonly Uint8Array[], judging: Judging = {}): Promise<Outcome<DcapEndorsements>> {
  const context = contextAt(judging.now ?? NOW, ANCHOR)
  const held = await collateralOf(files, 'verifier')
  const collateral = mergeCollateral(held, await collateralOf(judging.beside ?? [], 'evidence'))
  const path = await pckPath(
    context,
    [PCK, PLATFORM_CA].map((der) => take(decodeCertificate(der, 'pck'))),
    ANCHOR,
  )
  return attemptAsync(() =>
    authenticateEndorsements(context, judging.tee ?? 'TDX', { path, extension: EXTENSION }, collateral),
  )
}
const endorsed = async (...given: Parameters<typeof judged>) => take(await judged(...given))

/** Accepted with everything; refused with the files given. */
const refusal = (what: string, code: Code, files: readonly Uint8Array[], judging: Judging = {}) =>
  test(`${code}: ${what}`, async () => {
    accepted(await judged(ALL))
    refused(await judged(files, judging), [code])
  })

describe('Intel’s collateral', () => {
  it('is proved below the root of the PCK certificate', async () => {
    const { tcbInfo, qeIdentity, revocation, missing, injectedAnchors, uses } = await endorsed(ALL)
    expect([tcbInfo?.id, qeIdentity?.id, missing, injectedAnchors]).toEqual(['TDX', 'TD_QE', [], [ANCHOR.id]])
    expect(revocation).toEqual({ chain: 'intel-pck', status: 'good', stapled: false, faults: [] })
    expect(uses.map((u) => u.kind)).toEqual([
      ...['x509-certificate', 'intel-tcb-info', 'intel-qe-identity', 'x509-crl', 'x509-crl'],
    ])
  })

  it.each<[string, readonly Uint8Array[], readonly Code[]]>([
    ['nothing', [], ['TDX_TCB_INFO_MISSING', 'TDX_QE_IDENTITY_MISSING']],
    ['no TCB info', but(INFO), ['TDX_TCB_INFO_MISSING']],
    ['no identity', but(QE), ['TDX_QE_IDENTITY_MISSING']],
    ['no certificate of the signer', but(CHAIN), ['TDX_TCB_SIGNER_MISSING']],
    [
      'only documents about others',
      but(INFO, answer(tcbInfoOf('TDX', { fmspc: '00806f050000' })), answer(tcbInfoOf('SGX'))),
      ['TDX_TCB_INFO_MISSING'],
    ],
  ])('misses what is not there: %s', async (_, files, codes) => {
    const { missing, tcbInfo, qeIdentity } = await endorsed(files)
    expect(missing.map((f) => f.code)).toEqual(codes)
    expect([tcbInfo, qeIdentity]).toContain(undefined)
  })

  it('is told in words of SGX to an SGX quote', async () => {
    const codes = async (...files: readonly Uint8Array[]) =>
      (await endorsed(files, { tee: 'SGX' })).missing.map((f) => f.code)
    expect(await codes()).toEqual(['SGX_TCB_INFO_MISSING', 'SGX_QE_IDENTITY_MISSING'])
    expect(await codes(answer(tcbInfoOf('SGX')))).toEqual(['SGX_TCB_SIGNER_MISSING'])
    refused(await judged([CHAIN, answer(tcbInfoOf('SGX'), KEYS.foreign)], { tee: 'SGX' }), ['SGX_COLLATERAL_SIGNATURE'])
    refused(await judged([CHAIN, answer(tcbInfoOf('SGX', { version: 9 }))], { tee: 'SGX' }), [
      'SGX_COLLATERAL_MALFORMED',
    ])
    const odd = tcbInfoOf('SGX', { tcbLevels: [{ tcbStatus: 'Fine' }] })
    refused(await judged([CHAIN, answer(odd)], { tee: 'SGX' }), ['SGX_TCB_LEVEL_MALFORMED'])
    const levels = (tcbInfoOf('SGX').tcbLevels as readonly object[]).map((l) => ({ ...l, tcbStatus: 'Fine' }))
    const unknown = tcbInfoOf('SGX', { tcbLevels: levels })
    refused(await judged([CHAIN, answer(unknown)], { tee: 'SGX' }), ['SGX_TCB_STATUS_UNKNOWN'])
  })
})

describe('the signer of documents', () => {
  const CA = { basicConstraints: CA_EXTENSIONS }
  const by = (spec: Parameters<typeof signerCertificate>[0], key = KEYS.signer) => [
    ...[utf8(pem(signerCertificate({ publicKey: key, ...spec }))), ...LISTS],
    ...[answer(tcbInfoOf('TDX'), key), answer(qeIdentityOf('TDX'), key)],
  ]
  refusal('a CA', 'X509_LEAF_IS_CA', by({ extensions: CA.basicConstraints }))
  refusal(
    'without digitalSignature',
    'X509_KEY_USAGE',
    by({ extensions: [ext.basicConstraints(false), ext.keyUsage(['keyEncipherment'])] }),
  )
  refusal(
    'with an extension nobody understands',
    'X509_CRITICAL_EXTENSION',
    by({ extensions: [ext.keyUsage(['digitalSignature']), ext.custom('1.2.3', Uint8Array.of(5, 0), true)] }),
  )
  refusal('issued by the PCK CA', 'X509_ROOT_UNTRUSTED', by({ issuer: NAMES.platformCa, signer: KEYS.platformCa }))
  refusal('under the name of the root and another key', 'X509_SIGNATURE_INVALID', by({ signer: KEYS.foreign }))
  refusal('of a foreign root that came along', 'X509_ROOT_UNTRUSTED', [
    ...by({ signer: KEYS.foreign }),
    rootCertificate(KEYS.foreign),
  ])
  refusal('expired', 'X509_VALIDITY', by({ notAfter: '2026-07-31T00:00:00Z' }))
  refusal('not yet valid', 'X509_VALIDITY', by({ notBefore: '2026-08-02T00:00:00Z' }))

  it.each([
    ['the PCK certificate', [PCK], KEYS.pck],
    ['the PCK CA', [PLATFORM_CA], KEYS.platformCa],
    ['the root', [rootCertificate()], KEYS.root],
    ['a certificate of another name', [signerCertificate({ subject: NAMES.pck })], KEYS.signer],
  ])('is never %s: TDX_COLLATERAL_SIGNATURE, or its certificate is missing', async (_, certificates, key) => {
    const documents = [answer(tcbInfoOf('TDX'), key), answer(qeIdentityOf('TDX'), key)]
    const { missing } = await endorsed([...certificates, ...documents])
    expect(missing.map((f) => f.code)).toEqual(['TDX_TCB_SIGNER_MISSING'])
    if (key !== KEYS.signer) refused(await judged([...certificates, ...documents, CHAIN]), ['TDX_COLLATERAL_SIGNATURE'])
  })

  it('is found among forgeries and older certificates of its key', async () => {
    const forged = Array.from({ length: 7 }, (_, i) =>
      signerCertificate({ serial: 100 + i, publicKey: ecKey('P-256', `forged ${i}`), signer: KEYS.foreign }),
    )
    const expired = signerCertificate({ serial: 99, notAfter: '2026-01-01T00:00:00Z' })
    accepted(await judged([...ALL, ...forged, expired]))
    expect((await endorsed([...ALL, ...forged, expired])).uses[0]?.validUntil).toBe(Date.parse('2032-05-06') / 1000)
  })

  it('must not be revoked', async () => {
    const revoked = [{ serial: SERIALS.signer, date: '2026-07-01T00:00:00Z' }]
    refused(await judged([INFO, QE, CHAIN, pckCrl(), rootCrl({ revoked })]), ['X509_REVOKED'])
  })
})

describe('a document', () => {
  refusal('signed by another key', 'TDX_COLLATERAL_SIGNATURE', but(INFO, answer(tcbInfoOf('TDX'), KEYS.foreign)))
  refusal(
    'an identity signed by another key',
    'TDX_COLLATERAL_SIGNATURE',
    but(QE, answer(qeIdentityOf('TDX'), KEYS.foreign)),
  )
  const altered = (from: string, to: string) => utf8(Buffer.from(INFO).toString().replace(from, to))
  refusal('edited after signing', 'TDX_COLLATERAL_SIGNATURE', but(INFO, altered('"pcesvn":13', '"pcesvn":12')))
  refusal('written anew with a space', 'TDX_COLLATERAL_SIGNATURE', but(INFO, altered('"pcesvn":13', '"pcesvn": 13')))
  refusal(
    'that is signed and malformed',
    'TDX_COLLATERAL_MALFORMED',
    but(INFO, answer(tcbInfoOf('TDX', { version: 9 }))),
  )
  refusal('expired', 'COLLATERAL_EXPIRED', but(INFO, answer(tcbInfoOf('TDX', { nextUpdate: '2026-08-01T00:00:00Z' }))))
  refusal(
    'of tomorrow',
    'COLLATERAL_NOT_YET_VALID',
    but(INFO, answer(tcbInfoOf('TDX', { issueDate: '2026-08-01T00:00:01Z' }))),
  )
  refusal(
    'an expired identity',
    'COLLATERAL_EXPIRED',
    but(QE, answer(qeIdentityOf('TDX', { nextUpdate: '2026-08-01T00:00:00Z' }))),
  )

  it('is in date from its issue to the second before its next update', async () => {
    const info = (issueDate: string, nextUpdate: string) => answer(tcbInfoOf('TDX', { issueDate, nextUpdate }))
    accepted(await judged(but(INFO, info('2026-08-01T00:00:00Z', '2026-08-01T00:00:01Z'))))
  })

  it('that is the only one given comes back though it is about another platform: who uses it names the contradiction', async () => {
    const other = answer(tcbInfoOf('TDX', { fmspc: '00806f050000' }))
    expect((await endorsed(but(INFO, other))).tcbInfo?.fmspc[1]).toBe(0x80)
    expect((await endorsed(but(INFO, answer(tcbInfoOf('SGX'))))).tcbInfo?.id).toBe('SGX')
    expect((await endorsed(but(QE, answer(qeIdentityOf('SGX'))))).qeIdentity?.id).toBe('QE')
  })

  const numbered = (tcbEvaluationDataNumber: number, spec = {}) =>
    answer(tcbInfoOf('TDX', { tcbEvaluationDataNumber, ...spec }))
  const numberWith = async (files: readonly Uint8Array[], beside: readonly Uint8Array[] = []) =>
    (await endorsed(but(INFO, ...files), { beside })).tcbInfo?.tcbEvaluationDataNumber

  it('of several the highest evaluation number counts, then the newest, whoever brought it and in whatever order', async () => {
    expect(await numberWith([numbered(18), numbered(19), numbered(17)])).toBe(19)
    expect(await numberWith([numbered(19)], [numbered(18)])).toBe(19)
    expect(await numberWith([numbered(18)], [numbered(19)])).toBe(19)
    const newer = numbered(20, { issueDate: '2026-07-25T00:00:00Z' })
    const issued = (await endorsed(but(INFO, INFO, newer))).tcbInfo?.issueDate
    expect(issued).toBe(Date.parse('2026-07-25T00:00:00Z') / 1000)
  })

  it('that is genuine and current counts beside what is not', async () => {
    const forged = answer(tcbInfoOf('TDX', { tcbEvaluationDataNumber: 99 }), KEYS.foreign)
    expect(await numberWith([forged, numbered(18)])).toBe(18)
    const early = numbered(30, { issueDate: '2026-09-30T00:00:00Z', nextUpdate: '2026-10-30T00:00:00Z' })
    expect(await numberWith([early, numbered(18)])).toBe(18)
    const sameText = utf8(
      Buffer.from(INFO)
        .toString()
        .replace(/"signature":"../, '"signature":"00'),
    )
    expect(await numberWith([sameText, INFO])).toBe(20)
  })

  it('that is newer and cannot be used leaves no older one standing, whoever brings it', async () => {
    const expired = numbered(30, { nextUpdate: '2026-07-30T00:00:00Z' })
    const malformed = numbered(31, { tcbType: 7 })
    refused(await judged(but(INFO, expired, numbered(18))), ['COLLATERAL_EXPIRED'])
    refused(await judged(but(INFO, malformed, numbered(18))), ['TDX_COLLATERAL_MALFORMED'])
    // One that is older than what is used says nothing any more.
    expect(await numberWith([numbered(17, { nextUpdate: '2026-07-30T00:00:00Z' }), numbered(18)])).toBe(18)
    expect(await numberWith([numbered(17, { tcbType: 7 }), numbered(18)])).toBe(18)
  })

  it('of the verifier’s is not crowded out by what the sender brings', async () => {
    const forged = Array.from({ length: 20 }, (_, i) =>
      answer(tcbInfoOf('TDX', { tcbEvaluationDataNumber: 99 + i }), KEYS.foreign),
    )
    expect(await numberWith([numbered(18)], forged)).toBe(18)
    refused(await judged(but(INFO, numbered(18), ...forged)), ['TDX_COLLATERAL_SIGNATURE'])
  })

  it('is refused as forged before it is told as out of date', async () => {
    const forged = answer(tcbInfoOf('TDX'), KEYS.foreign)
    const expired = numbered(20, { nextUpdate: '2026-07-30T00:00:00Z' })
    refused(await judged(but(INFO, expired, forged)), ['TDX_COLLATERAL_SIGNATURE'])
  })
})

describe('revocation', () => {
  const DOCUMENTS = [INFO, QE, CHAIN]
  const report = async (...lists: readonly Uint8Array[]) => {
    const { status, faults } = (await endorsed([...DOCUMENTS, ...lists])).revocation
    return [status, ...faults.map((f) => `${f.code} ${f.path}`)]
  }
  const revoking = (serial: number) => ({ revoked: [{ serial, date: '2026-07-01T00:00:00Z' }] })
  const stale = { thisUpdate: '2026-06-01T00:00:00Z', nextUpdate: '2026-07-01T00:00:00Z' }

  it('is good by both lists, notGiven without any, unknown with one', async () => {
    expect(await report(...LISTS)).toEqual(['good'])
    expect(await report()).toEqual(['notGiven'])
    expect(await report(rootCrl())).toEqual(['unknown', 'CRL_MISSING crl.pck'])
    expect(await report(pckCrl())).toEqual(['unknown', 'CRL_MISSING crl.root'])
    expect(await report(rootCrl(), pckCrl({ issuer: NAMES.processorCa }))).toEqual(['unknown', 'CRL_MISSING crl.pck'])
  })

  it('is unknown by a list that is out of date', async () => {
    expect(await report(rootCrl(), pckCrl(stale))).toEqual(['unknown', 'CRL_STALE crl.pck.nextUpdate'])
    expect(await report(rootCrl({ thisUpdate: '2026-08-02T00:00:00Z' }), pckCrl())).toEqual([
      ...['unknown', 'CRL_TIME_INVALID crl.root.thisUpdate'],
    ])
    expect(await report(rootCrl(), pckCrl(stale), pckCrl())).toEqual(['good'])
  })

  const list = (what: string, code: Code, ...lists: readonly Uint8Array[]) =>
    test(`${code}: ${what}`, async () => {
      expect(await report(...LISTS)).toEqual(['good'])
      refused(await judged([...DOCUMENTS, ...lists]), [code])
    })
  list('the PCK certificate is revoked', 'X509_REVOKED', rootCrl(), pckCrl(revoking(SERIALS.pck)))
  list(
    'it was, on a list that is out of date',
    'X509_REVOKED',
    rootCrl(),
    pckCrl(),
    pckCrl({ ...stale, ...revoking(SERIALS.pck) }),
  )
  list('the PCK CA is revoked', 'X509_REVOKED', rootCrl(revoking(SERIALS.platformCa)), pckCrl())
  list('the root is revoked', 'X509_REVOKED', rootCrl(revoking(SERIALS.root)), pckCrl())
  list('a list of the PCK CA by another key', 'CRL_SIGNATURE_INVALID', rootCrl(), pckCrl({ signer: KEYS.foreign }))
  list('a list of the root by another key', 'CRL_SIGNATURE_INVALID', rootCrl({ signer: KEYS.foreign }), pckCrl())
  list('a list of the PCK CA by the root', 'CRL_SIGNATURE_INVALID', rootCrl(), pckCrl({ signer: KEYS.root }))
  list('a partial list', 'CRL_UNSUPPORTED', rootCrl(), pckCrl({ extensions: [ext.deltaCrlIndicator(1)] }))

  it('counts a genuine list beside a forgery', async () => {
    expect(await report(rootCrl(), pckCrl({ signer: KEYS.foreign, number: 9 }), pckCrl())).toEqual(['good'])
    expect(
      await report(pckCrl(), rootCrl({ signer: KEYS.foreign, ...revoking(SERIALS.platformCa) }), rootCrl()),
    ).toEqual(['good'])
  })

  it('says where an answer rests on what came with the evidence', async () => {
    const stapled = async (files: readonly Uint8Array[], beside: readonly Uint8Array[]) =>
      (await endorsed([...DOCUMENTS, ...files], { beside })).revocation.stapled
    expect(await stapled(LISTS, [])).toBe(false)
    expect(await stapled([rootCrl()], [pckCrl()])).toBe(true)
    expect(await stapled(LISTS, [pckCrl({ number: 2 })])).toBe(false)
  })

  it('is judged where documents are missing too', async () => {
    refused(await judged([rootCrl(), pckCrl(revoking(SERIALS.pck))]), ['X509_REVOKED'])
  })
})

describe('a document with one bit flipped', () => {
  it.each([
    ['TCB info', answer(tcbInfoOf('TDX', { tdxModuleIdentities: [], tcbLevels: [] }))],
    ['identity', answer(qeIdentityOf('TDX', { tcbLevels: [] }))],
  ])(
    'is refused wherever the bit lies: %s',
    async (_, file) => {
      const context = contextAt(NOW, ANCHOR)
      const chain = [PCK, PLATFORM_CA].map((der) => take(decodeCertificate(der, 'pck')))
      const path = await pckPath(context, chain, ANCHOR)
      const rest = await collateralOf([CHAIN, ...LISTS], 'verifier')
      const [genuine] = (await collateralOf([file], 'verifier')).intelDocuments
      if (genuine === undefined) throw new TypeError('no document')
      const { signed, signature } = genuine.value
      const codes = new Map<string, number>()
      const judge = async (bent: Partial<typeof genuine.value>) => {
        const value = { ...genuine.value, ...bent }
        const collateral = { ...rest, intelDocuments: [...rest.intelDocuments, { ...genuine, value }] }
        const outcome = await attemptAsync(() =>
          authenticateEndorsements(context, 'TDX', { path, extension: EXTENSION }, collateral),
        )
        const code = outcome.ok ? 'accepted' : outcome.faults[0].code
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
      await judge({})
      expect([...codes]).toEqual([['accepted', 1]])
      codes.clear()
      for (const [member, bytes] of Object.entries({ signed, signature })) {
        for (let at = 0; at < bytes.length; at++) {
          for (let bit = 0; bit < 8; bit++) await judge({ [member]: bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit)) })
        }
      }
      expect([...codes]).toEqual([['TDX_COLLATERAL_SIGNATURE', 8 * (signed.length + signature.length)]])
    },
    120_000,
  )
})
