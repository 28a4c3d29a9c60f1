import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL } from '../../../src/attestation/collateral.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { CryptoPort } from '../../../src/core/crypto/port.ts'
import type { TrustAnchor } from '../../../src/core/trust-anchors.ts'
import { type AmdMachine, amdMachine, createAmdTestPki } from '../../../src/testing/amd/index.ts'
import { ext } from '../../../src/testing/pki/certificate.ts'
import { integer } from '../../../src/testing/pki/der.ts'
import { amdName } from '../../../src/testing/pki/names.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'
import { ACCEPTED, contextAt, judgeMachine, judgeReport, refusedWith, verdictOf } from './support.ts'

const machine = amdMachine('chain')
const vlekMachine = amdMachine('chain', { kind: 'VLEK' })
const rogue = amdMachine('chain', { wrong: 'chain-rogue-ark' })
/** A foreign ASK of AMD's name with a serial of its own: two of one serial are refused whatever they signed. */
const { intermediate: foreignAsk } = amdMachine('chain', {
  wrong: 'chain-rogue-ark',
  pki: { ask: { certificate: { serial: Uint8Array.of(2, 0, 9) } } },
})
const ARK = anchorFromCertificate(machine.trustedArk, 'amd/ark')
const ASK = anchorFromCertificate(machine.intermediate, 'amd/ask')
const ASVK = anchorFromCertificate(vlekMachine.intermediate, 'amd/asvk')

const judge = (m: AmdMachine, endorsements: readonly Uint8Array[], anchors: readonly TrustAnchor[], at = m.at) =>
  judgeMachine(m, { endorsements, anchors, collateral: [], at })

describe('the path to a trusted key', () => {
  it('ends in a trusted ASK or ASVK where no certificate of it was brought', async () => {
    for (const [m, anchor] of [
      [machine, ASK],
      [vlekMachine, ASVK],
    ] as const) {
      const judgement = await judge(m, [m.vek], [anchor, ARK])
      expect(verdictOf(judgement)).toEqual(ACCEPTED)
      expect(judgement.injectedAnchors).toEqual([anchor.id])
      expect(judgement.collateral.map((u) => u.kind)).toEqual(['x509-certificate'])
    }
  })

  it('ends in the ARK where the ASK was brought, with the same claims', async () => {
    const long = await judge(machine, [machine.vek, machine.intermediate], [ASK, ARK])
    const short = await judge(machine, [machine.vek], [ASK, ARK])
    expect(long.injectedAnchors).toEqual([ARK.id])
    expect(long.collateral).toHaveLength(2)
    expect(long.claims).toEqual(short.claims)
    expect(long.hardwareId).toBe(short.hardwareId)
  })

  it('takes the ASK from the collateral where the report came without', async () => {
    const collateral = [machine.vek, machine.intermediate, machine.ark]
    expect(verdictOf(await judgeMachine(machine, { endorsements: [], collateral }))).toEqual(ACCEPTED)
  })

  it('passes over an authority of the collateral that did not sign this key', async () => {
    const others = [foreignAsk, vlekMachine.intermediate, amdMachine('chain', { product: 'Milan' }).intermediate]
    const beside = await judgeMachine(machine, {
      endorsements: [machine.vek],
      collateral: [...others, machine.intermediate],
    })
    expect(verdictOf(beside)).toEqual(ACCEPTED)
    const alone = { endorsements: [machine.vek], collateral: others, anchors: [ARK, ASK] }
    expect(verdictOf(await judgeMachine(machine, alone))).toEqual(ACCEPTED)
  })

  it('takes among several authorities of the evidence the one that signed', async () => {
    const endorsements = [machine.vek, foreignAsk, machine.intermediate]
    expect(verdictOf(await judge(machine, endorsements, [ARK]))).toEqual(ACCEPTED)
    const none = [machine.vek, foreignAsk]
    expect(verdictOf(await judge(machine, none, [ARK, ASK]))).toEqual(refusedWith('X509_SIGNATURE_INVALID'))
  })

  it('is refused under a foreign root with AMD’s names, in evidence and in collateral', async () => {
    const untrusted = refusedWith('X509_ROOT_UNTRUSTED')
    expect(verdictOf(await judge(rogue, [rogue.vek, rogue.intermediate, rogue.ark], []))).toEqual(untrusted)
    expect(verdictOf(await judge(rogue, [rogue.table], [ARK, ASK]))).toEqual(untrusted)
    const lying = { endorsements: [], collateral: [rogue.vek, rogue.intermediate, rogue.ark], anchors: [ARK] }
    expect(verdictOf(await judgeMachine(rogue, lying))).toEqual(untrusted)
    expect(verdictOf(await judge(rogue, [rogue.vek, rogue.intermediate], [ARK]))).toEqual(
      refusedWith('X509_SIGNATURE_INVALID'),
    )
  })

  it('is refused without the anchor that it needs', async () => {
    const foreign = amdName('ARK-Test')
    const renamed = {
      ark: { certificate: { subject: foreign, issuer: foreign } },
      ask: { certificate: { issuer: foreign } },
    }
    const m = amdMachine('chain', { pki: renamed })
    expect(verdictOf(await judge(m, [m.vek, m.intermediate, m.ark], []))).toEqual(refusedWith('X509_ROOT_UNTRUSTED'))
    // An anchor that names no product of ours cannot vouch for one, trusted or not.
    const anchor = anchorFromCertificate(m.ark, 'amd/ark')
    const judgement = await judge(m, [m.vek, m.intermediate, m.ark], [{ ...anchor, product: undefined }])
    expect(verdictOf(judgement)).toEqual(refusedWith('SNP_PRODUCT_MISMATCH'))
    expect(verdictOf(await judge(m, [m.vek, m.intermediate], [{ ...anchor, product: 'Genoa' }]))).toEqual(ACCEPTED)
  })

  it('takes the product of an anchor without one from its name', async () => {
    const anchor = { ...ARK, product: undefined }
    expect(verdictOf(await judge(machine, [machine.vek, machine.intermediate], [anchor]))).toEqual(ACCEPTED)
    const other = { ...ARK, product: 'Milan' as const }
    expect(verdictOf(await judge(machine, [machine.vek, machine.intermediate], [other]))).toEqual(
      refusedWith('SNP_PRODUCT_MISMATCH'),
    )
  })

  it('names one product line from the key to the root', async () => {
    const milan = amdName('SEV-Milan')
    const pki = { ask: { certificate: { subject: milan } } }
    const m = amdMachine('chain', { pki, leaf: { certificate: { issuer: milan } } })
    expect(verdictOf(await judge(m, [m.vek, m.intermediate], [ARK]))).toEqual(refusedWith('SNP_PRODUCT_MISMATCH'))
  })

  it('certifies a key in the set of extensions of its product', async () => {
    const value = { structVersion: integer(1), fmcSPL: integer(0), hwID: machine.chipId.subarray(0, 8) }
    const m = amdMachine('chain', { leaf: { extensions: { value, drop: ['spl4'] } } })
    expect(verdictOf(await judge(m, [m.vek, m.intermediate], [ARK]))).toEqual(refusedWith('SNP_VCEK_EXTENSION_INVALID'))
  })

  it('has no second authority in it: a trusted ASK vouches for keys, never for an ASVK', async () => {
    const { key, name } = createAmdTestPki('chain').authority('Genoa', 'ask')
    const pki = { asvk: { certificate: { issuer: name, signer: key } } }
    const m = amdMachine('chain', { kind: 'VLEK', pki })
    expect(verdictOf(await judge(m, [m.vek, m.intermediate], [ARK, ASK]))).toEqual(refusedWith('X509_ROOT_UNTRUSTED'))
  })

  it('has an ASK or ASVK in it: a key under the root itself is neither VCEK nor VLEK', async () => {
    const m = amdMachine('chain', { leaf: { issuedBy: 'ark' } })
    expect(verdictOf(await judge(m, [m.vek], [ARK]))).toEqual(refusedWith('SNP_SIGNER_KIND_MISMATCH'))
  })

  it('has the kind of issuer that the trusted key is for', async () => {
    const wrongRole = anchorFromCertificate(machine.intermediate, 'amd/asvk')
    expect(verdictOf(await judge(machine, [machine.vek], [wrongRole]))).toEqual(refusedWith('SNP_SIGNER_KIND_MISMATCH'))
  })

  it('lives no longer than its root, brought or not', async () => {
    const short = { ...ARK, notAfter: ARK.notBefore + 86_400 }
    expect(verdictOf(await judge(machine, [machine.vek, machine.intermediate], [short]))).toEqual(
      refusedWith('X509_VALIDITY'),
    )
    expect(verdictOf(await judge(machine, [machine.vek], [ASK, short]))).toEqual(refusedWith('X509_VALIDITY'))
  })

  it('holds from the first to the last second of each certificate', async () => {
    const certificate = { notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-12-31T23:59:59Z' }
    const m = amdMachine('chain', { leaf: { certificate } })
    const verdicts = []
    for (const at of ['2025-12-31T23:59:59Z', certificate.notBefore, certificate.notAfter, '2027-01-01T00:00:00Z']) {
      verdicts.push(verdictOf(await judge(m, [m.vek, m.intermediate], [ARK], at)))
    }
    const invalid = refusedWith('X509_VALIDITY')
    expect(verdicts).toEqual([invalid, ACCEPTED, ACCEPTED, invalid])
  })

  it('names no other address than AMD’s', async () => {
    const crlDistributionPoint = ext.crlDistributionPoint('https://kdsintf.amd.com.example/vcek/v1/Genoa/crl')
    const m = amdMachine('chain', { pki: { ask: { replace: { crlDistributionPoint } } } })
    expect(verdictOf(await judge(m, [m.vek, m.intermediate], [ARK]))).toEqual(refusedWith('ENV_FETCH_FROM_INPUT'))
  })

  it('costs two checks, and the report one; judged again with what is remembered, only the report', async () => {
    let checks = 0
    const crypto: CryptoPort = {
      ...nodeCrypto,
      verify: (...given) => {
        checks++
        return nodeCrypto.verify(...given)
      },
    }
    const cache = createVerificationCache()
    const counted = async (endorsements: readonly Uint8Array[], anchors: readonly TrustAnchor[]) => {
      const context = new Context({ now: contextAt(machine.at).now, anchors, crypto, cache })
      checks = 0
      expect(verdictOf(await judgeReport(context, machine.report, endorsements, NO_COLLATERAL))).toEqual(ACCEPTED)
      return checks
    }
    expect(await counted([machine.table], [ARK])).toBe(3)
    expect(await counted([machine.table], [ARK])).toBe(1)
    expect(await counted([machine.vek], [ARK, ASK])).toBe(1)
  })
})
