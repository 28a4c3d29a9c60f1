import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type CollateralSet, NO_COLLATERAL, sortCollateral } from '../../../src/attestation/collateral.ts'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import { createVerificationCache } from '../../../src/core/context.ts'
import { octets } from '../../../src/testing/pki/der.ts'
import {
  AT,
  caCertificate,
  chain,
  contextAt,
  extensionMembers,
  judge,
  member,
  otherKey,
  PROVED,
  pckCertificate,
  type QuotePlan,
  quoteOf,
  refusalsOf,
  refusedWith,
  rootCertificate,
  sgxExtension,
  TEST_ANCHOR,
  TOLD,
} from './support.ts'

const TEES: readonly Tee[] = ['TDX', 'SGX']
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe.each(TEES)('a %s quote', (tee) => {
  const judged = async (plan: QuotePlan) => refusalsOf(await judge(quoteOf({ tee, ...plan }), { tee }))

  it('is proved in every version', async () => {
    for (const plan of tee === 'TDX'
      ? ([{ version: 4 }, { version: 5, bodyType: 2 }, { version: 5, bodyType: 3 }] as const)
      : ([{ version: 3 }, { version: 4 }, { version: 5 }] as const)) {
      expect(await judged(plan)).toEqual(PROVED)
    }
  })

  it('is inconclusive, with its claims, where Intel’s documents were not given', async () => {
    const { faults, claims } = await judge(quoteOf({ tee }), { tee })
    expect(claims?.value).toMatchObject({ kind: tee === 'TDX' ? 'intel/tdx-quote' : 'intel/sgx-quote', tcb: undefined })
    expect(faults.length).toBeGreaterThan(0)
  })

  it('is refused where another key than the attestation key signed it', async () => {
    expect(await judged({ signer: otherKey })).toEqual(refusedWith(TOLD[tee].signature))
  })

  it('is refused where another key than the PCK signed the QE report', async () => {
    expect(await judged({ qeSigner: otherKey })).toEqual(refusedWith(TOLD[tee].qeSignature))
  })

  it.each([
    ['does not hash its key', 320],
    ['has anything behind the hash', 383],
  ])('is refused where the QE report %s', async (_, at) => {
    const editQe = (report: Uint8Array) => {
      report[at] = (report[at] ?? 0) ^ 1
    }
    expect(await judged({ editQe })).toEqual(refusedWith(TOLD[tee].qeBinding))
  })

  it('may have QE authentication data of any length', async () => {
    for (const size of [0, 1, 64, 1000]) expect(await judged({ qeAuthData: new Uint8Array(size) })).toEqual(PROVED)
  })

  it('tells the first fault of the contract alone', async () => {
    const bothWrong = { signer: otherKey, qeSigner: otherKey }
    expect(await judged(bothWrong)).toEqual(refusedWith(TOLD[tee].qeSignature))
    const data = chain(pckCertificate({ signer: otherKey }), caCertificate())
    expect(await judged({ ...bothWrong, certification: { type: 5, data } })).toEqual(
      refusedWith('X509_SIGNATURE_INVALID'),
    )
  })

  it('is judged the same with a warm cache, and refused as before', async () => {
    const cache = createVerificationCache()
    const how = { tee, cache }
    for (let i = 0; i < 2; i++) {
      expect(refusalsOf(await judge(quoteOf({ tee }), how))).toEqual(PROVED)
      const forged = quoteOf({ tee, signer: otherKey })
      expect(refusalsOf(await judge(forged, how))).toEqual(refusedWith(TOLD[tee].signature))
      const foreign = quoteOf({ tee, qeSigner: otherKey })
      expect(refusalsOf(await judge(foreign, how))).toEqual(refusedWith(TOLD[tee].qeSignature))
    }
  })

  it('rests on the certificates of its chain', async () => {
    const { collateral, injectedAnchors, revocation } = await judge(quoteOf({ tee }), { tee })
    expect(collateral.map((u) => u.digest)).toEqual([sha256(pckCertificate()), sha256(caCertificate())])
    expect(injectedAnchors).toEqual([TEST_ANCHOR.id])
    expect(revocation.map((r) => r.chain)).toEqual(['intel-pck'])
  })
})

describe('the machine that made a quote', () => {
  const judged = async (members: Record<string, Uint8Array>) => {
    const data = chain(
      pckCertificate({ sgx: sgxExtension(Object.values(members)) }),
      caCertificate(),
      rootCertificate(),
    )
    return judge(quoteOf({ certification: { type: 5, data } }))
  }
  const ppid = new Uint8Array(16).fill(1)
  const instance = new Uint8Array(16).fill(9)
  const zero = new Uint8Array(16)

  it('is its platform instance, or its PPID where there is none', async () => {
    const withInstance = await judged({ ...extensionMembers(), 6: member('6', octets(instance)) })
    expect(withInstance.hardwareId).toBe(`intel-platform:${sha256(instance)}`)
    expect((await judged(extensionMembers())).hardwareId).toBe(`intel-platform:${sha256(ppid)}`)
  })

  it('is nobody where the certificate has zeros', async () => {
    const zeroInstance = await judged({ ...extensionMembers(), 6: member('6', octets(zero)) })
    expect(zeroInstance.hardwareId).toBe(`intel-platform:${sha256(ppid)}`)
    const nobody = await judged({ ...extensionMembers(), 1: member('1', octets(zero)) })
    expect(nobody.hardwareId).toBeUndefined()
    expect(nobody.notChecked.map((n) => n.what)).toEqual(['which machine made the quote'])
  })
})

describe('the TDX module', () => {
  it.each([
    ['MRSIGNERSEAM', 64, 48],
    ['SEAMATTRIBUTES', 112, 8],
  ])('is refused with any bit of %s set', async (_, offset, sizeBytes) => {
    for (let at = 0; at < sizeBytes; at++) {
      const edit = (signed: Uint8Array) => {
        signed[48 + offset + at] = 1
      }
      expect(refusalsOf(await judge(quoteOf({ edit })))).toEqual(refusedWith('TDX_SEAM_UNTRUSTED'))
    }
  })
})

describe.each(TEES)('a %s quote that only names its PCK certificate', (tee) => {
  const cpuSvn = new Uint8Array(16).fill(5)
  const tcb = concatBytes(cpuSvn, Uint8Array.of(11, 0), new Uint8Array(2))
  const NAMED = {
    1: concatBytes(new Uint8Array(16).fill(1), tcb),
    2: concatBytes(new Uint8Array(256).fill(0xee), tcb),
    3: concatBytes(new Uint8Array(384).fill(0xee), tcb),
  } as const
  const holding = async (...ders: readonly Uint8Array[]): Promise<CollateralSet> => {
    const files = ders.map((bytes, i) => ({ name: `${i}.der`, bytes }))
    return (await sortCollateral(contextAt(AT, []), files, 'verifier')).collateral
  }
  const judged = async (type: 1 | 2 | 3, collateral: CollateralSet, data: Uint8Array = NAMED[type]) =>
    refusalsOf(await judge(quoteOf({ tee, certification: { type, data } }), { tee, collateral }))
  const missing = refusedWith(TOLD[tee].pckMissing)

  it.each([1, 2, 3] as const)('is proved with that certificate among the collateral (type %i)', async (type) => {
    const others = [
      pckCertificate({ publicKey: otherKey, serial: 9 }),
      pckCertificate({ subject: 'Intel SGX TCB Signing' }),
    ]
    expect(await judged(type, await holding(...others, pckCertificate(), caCertificate()))).toEqual(PROVED)
    expect(
      await judged(
        type,
        await holding(
          caCertificate({ signer: otherKey, serial: 7, publicKey: otherKey }),
          caCertificate(),
          pckCertificate(),
        ),
      ),
    ).toEqual(PROVED)
  })

  it.each([1, 2, 3] as const)('is inconclusive without it (type %i)', async (type) => {
    expect(await judged(type, NO_COLLATERAL)).toEqual(missing)
    expect(await judged(type, await holding(pckCertificate()))).toEqual(missing)
    expect(await judged(type, await holding(caCertificate()))).toEqual(missing)
    expect(await judged(type, await holding(pckCertificate({ publicKey: otherKey }), caCertificate()))).toEqual(missing)
  })

  it('is not proved with a certificate of another TCB', async () => {
    const collateral = await holding(pckCertificate(), caCertificate())
    const { 3: good } = NAMED
    for (const at of [384, 399, 400, 401, 402, 403]) {
      const data = Uint8Array.from(good)
      data[at] = (data[at] ?? 0) ^ 1
      expect(await judged(3, collateral, data)).toEqual(missing)
    }
    const otherPpid = Uint8Array.from(NAMED[1])
    otherPpid[0] = 2
    expect(await judged(1, collateral, otherPpid)).toEqual(missing)
  })

  it('is refused where the certificate is not Intel’s', async () => {
    const ca = caCertificate({ signer: otherKey })
    expect(await judged(3, await holding(pckCertificate(), ca))).toEqual(refusedWith('X509_SIGNATURE_INVALID'))
  })
})
