import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL } from '../../../src/attestation/collateral.ts'
import { judgeRevocation } from '../../../src/attestation/sev-snp/revocation.ts'
import { attemptAsync } from '../../../src/core/outcome.ts'
import { type AmdCrlSpec, amdMachine, createAmdTestPki } from '../../../src/testing/amd/index.ts'
import { crl as anyCrl } from '../../../src/testing/pki/crl.ts'
import { ecKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'
import { ACCEPTED, collateralOf, contextAt, judgeMachine, refusedWith, verdictOf } from './support.ts'

const machine = amdMachine('revocation')
const AT = machine.at
const pki = createAmdTestPki('revocation')
const ARK = anchorFromCertificate(machine.trustedArk, 'amd/ark')
const ASK_SERIAL = Uint8Array.of(2, 0, 2)
const DATE = '2026-01-01T00:00:00Z'

const list = (spec: Partial<AmdCrlSpec> = {}): Uint8Array =>
  pki.crl({
    ...{ product: 'Genoa', endpoint: 'vcek', revoked: [] },
    ...{ thisUpdate: '2026-07-01T00:00:00Z', nextUpdate: '2027-07-01T00:00:00Z' },
    ...spec,
  })
const clean = list()
const revoking = list({ revoked: [{ serial: ASK_SERIAL, date: DATE }] })
const stale = { thisUpdate: '2025-07-01T00:00:00Z', nextUpdate: '2026-07-01T00:00:00Z' }

async function reportOf(...crls: readonly Uint8Array[]) {
  const judgement = await judgeMachine(machine, { collateral: crls })
  expect(verdictOf(judgement)).toEqual(ACCEPTED)
  const [report, ...more] = judgement.revocation
  expect(more).toEqual([])
  return { status: report?.status, codes: report?.faults.map((f) => f.code), uses: judgement.collateral }
}

const verdictWith = async (...crls: readonly Uint8Array[]) =>
  verdictOf(await judgeMachine(machine, { collateral: crls }))

describe('revocation of AMD’s authorities', () => {
  it('is good by a current list of the root, which the verdict then rests on', async () => {
    const { status, codes, uses } = await reportOf(clean)
    expect([status, codes]).toEqual(['good', []])
    expect(uses.map((u) => u.kind)).toEqual(['x509-certificate', 'x509-certificate', 'x509-crl'])
    const until = Date.parse('2027-07-01T00:00:00Z') / 1000
    expect(uses[2]).toMatchObject({ issuedAt: Date.parse('2026-07-01T00:00:00Z') / 1000, validUntil: until })
    expect(uses[2]?.digest).toBe(await contextAt(AT).digestHex('sha256', clean))
  })

  it('is good where the list names other serials, the leaf’s serial 0 among them', async () => {
    const other = list({
      revoked: [
        { serial: Uint8Array.of(2, 0, 1), date: DATE },
        { serial: 0, date: DATE },
      ],
    })
    expect((await reportOf(other)).status).toBe('good')
  })

  it('is not given where there is no list of AMD’s', async () => {
    expect(await reportOf()).toMatchObject({ status: 'notGiven', codes: [] })
    const foreign = anyCrl({
      ...{
        issuer: name([['O', 'Another Vendor']]),
        signer: ecKey('P-384', 'foreign'),
        algorithm: { kind: 'ecdsa-sha384' },
      },
      ...{ thisUpdate: '2026-07-01T00:00:00Z', nextUpdate: '2027-07-01T00:00:00Z', revoked: [] },
    })
    expect(await reportOf(foreign)).toMatchObject({ status: 'notGiven', codes: [] })
  })

  it('is unknown where the list is out of date', async () => {
    expect(await reportOf(list(stale))).toMatchObject({ status: 'unknown', codes: ['CRL_STALE'] })
    const future = list({ thisUpdate: '2026-08-02T00:00:00Z' })
    expect(await reportOf(future)).toMatchObject({ status: 'unknown', codes: ['CRL_TIME_INVALID'] })
  })

  it('refuses an authority that is on the list: ASK, ASVK, or the root itself', async () => {
    expect(await verdictWith(revoking)).toEqual(refusedWith('X509_REVOKED'))
    expect(await verdictWith(list({ revoked: [{ serial: Uint8Array.of(2, 0, 0), date: DATE }] }))).toEqual(
      refusedWith('X509_REVOKED'),
    )
    const vlek = amdMachine('revocation', { kind: 'VLEK' })
    const asvk = list({ endpoint: 'vlek', revoked: [{ serial: Uint8Array.of(2, 1, 1), date: DATE }] })
    expect(verdictOf(await judgeMachine(vlek, { collateral: [asvk] }))).toEqual(refusedWith('X509_REVOKED'))
    expect(verdictOf(await judgeMachine(machine, { collateral: [asvk] }))).toEqual(ACCEPTED)
  })

  it('refuses a trusted ASK by its own serial where no certificate of it was brought', async () => {
    const anchors = [ARK, anchorFromCertificate(machine.intermediate, 'amd/ask')]
    const judging = { endorsements: [machine.vek], anchors }
    expect(verdictOf(await judgeMachine(machine, { ...judging, collateral: [revoking] }))).toEqual(
      refusedWith('X509_REVOKED'),
    )
    const good = await judgeMachine(machine, { ...judging, collateral: [clean] })
    expect(good.revocation.map((r) => r.status)).toEqual(['good'])
  })

  it('refuses what any list that the root signed names, an old one beside a newer one too', async () => {
    const oldRevoking = list({ ...stale, revoked: [{ serial: ASK_SERIAL, date: '2025-06-01T00:00:00Z' }] })
    expect(await verdictWith(clean, revoking)).toEqual(refusedWith('X509_REVOKED'))
    expect(await verdictWith(oldRevoking, clean)).toEqual(refusedWith('X509_REVOKED'))
    expect(await verdictWith(oldRevoking)).toEqual(refusedWith('X509_REVOKED'))
  })

  it('is good by one usable list, whatever lies beside it', async () => {
    const forged = list({ signer: pki.authority('Genoa', 'ask').key })
    expect((await reportOf(forged, list(stale), clean, list({ product: 'Milan' }))).status).toBe('good')
  })

  it('refuses lists of which none is usable', async () => {
    const forged = list({ signer: pki.authority('Genoa', 'ask').key })
    const forgedRevoking = list({
      signer: pki.authority('Genoa', 'ask').key,
      revoked: [{ serial: ASK_SERIAL, date: DATE }],
    })
    expect(await verdictWith(forged)).toEqual(refusedWith('CRL_SIGNATURE_INVALID'))
    expect(await verdictWith(forgedRevoking)).toEqual(refusedWith('CRL_SIGNATURE_INVALID'))
    expect(await verdictWith(list({ product: 'Milan' }))).toEqual(refusedWith('CRL_SIGNATURE_INVALID'))
    expect(await verdictWith(list(stale), forged)).toEqual(refusedWith('CRL_SIGNATURE_INVALID'))
  })

  it('says the same whatever the order of the lists', async () => {
    const future = list({ thisUpdate: '2026-08-02T00:00:00Z' })
    const both = ['CRL_TIME_INVALID', 'CRL_STALE']
    expect(await reportOf(list(stale), future)).toMatchObject({ status: 'unknown', codes: both })
    expect(await reportOf(future, list(stale))).toMatchObject({ status: 'unknown', codes: both })
  })

  it('rests on the newest eight lists under the name of the root', async () => {
    const issuedOn = (day: number, spec: Partial<AmdCrlSpec> = {}) =>
      list({ thisUpdate: `2026-07-${10 + day}T00:00:00Z`, ...spec })
    const forgeries = Array.from({ length: 8 }, (_, day) =>
      issuedOn(day, { signer: pki.authority('Genoa', 'ask').key }),
    )
    expect((await reportOf(clean, ...forgeries.slice(1))).status).toBe('good')
    expect(await verdictWith(clean, ...forgeries)).toEqual(refusedWith('CRL_SIGNATURE_INVALID'))
  })

  it('is unknown where no trusted root could have signed the list', async () => {
    const context = contextAt(AT)
    const { crls } = await collateralOf(context, clean)
    const outcome = await attemptAsync(() => judgeRevocation(context, crls, undefined, ['020002']))
    expect(outcome.ok && outcome.value.report).toMatchObject({ status: 'unknown', faults: [{ code: 'CRL_MISSING' }] })
    const none = await attemptAsync(() => judgeRevocation(context, NO_COLLATERAL.crls, undefined, ['020002']))
    expect(none.ok && none.value.report.status).toBe('notGiven')
  })
})
