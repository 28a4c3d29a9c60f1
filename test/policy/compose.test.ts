import { describe, expect, it } from 'vitest'
import { compose, type Policy, presetPolicy, type SnpRule } from '../../src/policy/index.ts'
import {
  DIGEST,
  documentWith,
  documentWithGpu,
  GPU,
  type Json,
  OTHER_DIGEST,
  policyOf,
  SIGNER,
  told,
} from './support.ts'

const OTHER_SIGNER = { ...SIGNER, kid: 'other', x: SIGNER.y, y: SIGNER.x }
const composed = (floor: unknown, tenant: unknown) => compose(policyOf(floor), policyOf(tenant))

function composite(floor: unknown, tenant: unknown) {
  const outcome = composed(floor, tenant)
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.faults))
  return outcome.value
}
const refused = (floor: unknown, tenant: unknown, ...faults: string[]) =>
  expect(told(composed(floor, tenant))).toEqual(faults)

const SNP = '/require/cpu/any/0'
const snp = (rule: Json) => documentWith(rule)
const snpRuleOf = (policy: Policy): SnpRule => {
  const [rule] = policy.require.cpu.any
  if (rule.platform !== 'amd/snp') throw new TypeError(rule.platform)
  return rule
}
const ruleOf = (floor: Json, tenant: Json) => snpRuleOf(composite(snp(floor), snp(tenant)))

describe('compose', () => {
  it('is the policy itself where both say the same', () => {
    for (const name of ['cpu-confidential', 'h100-confidential'] as const) {
      const policy = presetPolicy(name)
      const outcome = compose(policy, policy)
      expect(outcome).toEqual({ ok: true, value: { ...policy, name: `${name} under ${name}` } })
    }
  })

  it('names both policies', () => {
    expect(composite({ ...snp({}), name: 'floor' }, { ...snp({}), name: 'tenant' }).name).toBe('tenant under floor')
  })

  it('takes the stricter of each rule, whoever said it', () => {
    const floor = {
      minTcb: { snp: 27 },
      minFirmware: '1.55.9',
      guestPolicy: { ciphertextHiding: 'required' },
      minReportVersion: 4,
    }
    const tenant = {
      minTcb: { microcode: 90 },
      minFirmware: '1.55.40',
      guestPolicy: { smt: 'forbidden' },
      tcbFloors: { bulletins: 'all' },
    }
    for (const rule of [
      ruleOf(floor, tenant),
      ruleOf(
        {
          ...floor,
          ...tenant,
          minTcb: { snp: 27, microcode: 90 },
          guestPolicy: { ...floor.guestPolicy, ...tenant.guestPolicy },
        },
        {},
      ),
    ]) {
      expect(rule).toMatchObject({
        minTcb: { snp: 27, microcode: 90, bootloader: 0 },
        minFirmware: '1.55.40',
        guestPolicy: { ciphertextHiding: 'required', smt: 'forbidden', debug: 'forbidden' },
        minReportVersion: 4,
        tcbFloors: { bulletins: 'all' },
      })
    }
  })

  it('intersects allow-lists and joins deny-lists and required bits', () => {
    expect(ruleOf({ measurements: [DIGEST, OTHER_DIGEST] }, { measurements: [DIGEST] }).measurements).toEqual([DIGEST])
    expect(ruleOf({ measurements: [DIGEST] }, {}).measurements).toEqual([DIGEST])
    expect(ruleOf({}, { measurements: [DIGEST] }).measurements).toEqual([DIGEST])
    expect(ruleOf({ products: ['Genoa'] }, {}).products).toEqual(['Genoa'])
    expect(
      ruleOf({ mitigations: { launch: '0000000000000001' } }, { mitigations: { launch: '0000000000000003' } })
        .mitigations.launch,
    ).toBe('0000000000000003')
    const gpu = (denyDrivers: unknown) => documentWithGpu({ denyDrivers })
    expect(composite(gpu(['550.1']), gpu(['550.2'])).require.gpu).toMatchObject({ denyDrivers: ['550.1', '550.2'] })
    expect(composite(gpu(['550.1']), gpu('none')).require.gpu).toMatchObject({ denyDrivers: ['550.1'] })
  })

  it('RJ-POL-14 refuses a tenant who loosens, by name', () => {
    refused(
      snp({}),
      { ...snp({ guestPolicy: { debug: 'allowed' } }), profile: 'development' },
      'POLICY_BELOW_FLOOR /profile',
      `POLICY_BELOW_FLOOR ${SNP}/guestPolicy/debug`,
    )
    refused(snp({}), snp({ revocation: 'none' }), `POLICY_BELOW_FLOOR ${SNP}/revocation`)
    refused(snp({ minTcb: { snp: 27 } }), snp({ minTcb: { snp: 26 } }), `POLICY_BELOW_FLOOR ${SNP}/minTcb/snp`)
    refused(
      snp({ measurements: [DIGEST] }),
      snp({ measurements: [DIGEST, OTHER_DIGEST] }),
      `POLICY_BELOW_FLOOR ${SNP}/measurements`,
    )
    refused(
      snp({}),
      { ...snp({ products: ['Milan'] }), acceptRisks: ['milan-seed-extraction'] },
      `POLICY_BELOW_FLOOR ${SNP}/products`,
      'POLICY_BELOW_FLOOR /acceptRisks',
    )
    refused(snp({}), snp({ tcbFloors: { bulletins: '2025-01-01' } }), `POLICY_BELOW_FLOOR ${SNP}/tcbFloors/bulletins`)
    refused(snp({}), snp({ vmpl: [0, 1] }), `POLICY_BELOW_FLOOR ${SNP}/vmpl`)
    refused(documentWith({}, {}, { level: 2 }), documentWith({}, {}, { level: 1 }), 'POLICY_BELOW_FLOOR /require/level')
    refused(
      documentWith({}, { freshness: { maxAgeSeconds: 60 } }),
      documentWith({}, { freshness: { maxAgeSeconds: 61 } }),
      'POLICY_BELOW_FLOOR /freshness/maxAgeSeconds',
    )
    refused(
      documentWith({}, { collateral: { maxAgeSeconds: 60 } }),
      documentWith({}, { collateral: { maxAgeSeconds: 61 } }),
      'POLICY_BELOW_FLOOR /collateral/maxAgeSeconds',
    )
    refused(
      documentWithGpu({}),
      documentWithGpu({ revocation: 'stapled' }),
      'POLICY_BELOW_FLOOR /require/gpu/revocation',
    )
    refused(documentWithGpu({}), documentWithGpu({ rim: 'none' }), 'POLICY_BELOW_FLOOR /require/gpu/rim')
    refused(
      documentWithGpu({ minDriver: '550.90' }),
      documentWithGpu({ minDriver: '550.9' }),
      'POLICY_BELOW_FLOOR /require/gpu/minDriver',
    )
    refused(
      documentWithGpu({}),
      documentWithGpu({}, { acceptRisks: ['plain-nvlink'] }),
      'POLICY_BELOW_FLOOR /acceptRisks',
    )
    refused(documentWithGpu({}), documentWith({}, {}, { gpu: 'any' }), 'POLICY_BELOW_FLOOR /require/gpu')
    refused(documentWith({}), documentWith({}, {}, { gpu: 'any' }), 'POLICY_BELOW_FLOOR /require/gpu')
  })

  it('tells what the floor asks and whose it is', () => {
    const outcome = composed({ ...snp({}), name: 'market' }, snp({ revocation: 'none' }))
    expect(outcome).toMatchObject({ faults: [{ expected: 'required, or stricter', actual: 'none', source: 'market' }] })
  })

  it('a tenant who says nothing is not below the floor', () => {
    const strict = {
      minReportVersion: 5,
      minTcb: { snp: 27 },
      signingKeys: ['vcek'],
      measurements: [DIGEST],
      guestPolicy: { smt: 'forbidden' },
    }
    expect(ruleOf(strict, {})).toMatchObject({ ...strict, minTcb: { snp: 27 } })
  })

  it('takes the later day of bulletins, and all of them before any day', () => {
    const upTo = (bulletins: string) => ({ tcbFloors: { bulletins } })
    expect(ruleOf(upTo('2025-06-01'), {}).tcbFloors.bulletins).toBe('all')
    expect(ruleOf(upTo('2025-06-01'), upTo('2026-01-01')).tcbFloors.bulletins).toBe('2026-01-01')
    refused(snp(upTo('2026-01-01')), snp(upTo('2025-06-01')), `POLICY_BELOW_FLOOR ${SNP}/tcbFloors/bulletins`)
  })

  it('an accepted risk needs the consent of both', () => {
    const risks = (...acceptRisks: string[]) => documentWithGpu({}, { acceptRisks })
    expect(composite(risks('plain-nvlink', 'open-quote-oracle'), risks('plain-nvlink')).acceptRisks).toEqual([
      'plain-nvlink',
    ])
    expect(composite(risks('plain-nvlink'), documentWithGpu()).acceptRisks).toBe('none')
    const milan = documentWith({ products: ['Genoa', 'Milan'] }, { acceptRisks: ['milan-seed-extraction'] })
    expect(snpRuleOf(composite(milan, snp({}))).products).toEqual(['Genoa'])
    expect(snpRuleOf(composite(milan, milan)).products).toEqual(['Genoa', 'Milan'])
  })

  it('RJ-POL-12 refuses policies that exclude one another', () => {
    refused(documentWithGpu(), documentWith({}), 'POLICY_UNSATISFIABLE /require/gpu')
    refused(documentWith({}), documentWithGpu(), 'POLICY_UNSATISFIABLE /require/gpu')
    refused(documentWithGpu({ count: 1 }), documentWithGpu({ count: 8 }), 'POLICY_UNSATISFIABLE /require/gpu/count')
    refused(
      snp({ platformInfo: { smtEnabled: 'required' } }),
      snp({ guestPolicy: { smt: 'forbidden' } }),
      `POLICY_UNSATISFIABLE ${SNP}/platformInfo/smtEnabled`,
    )
  })

  it('counts by lease and by number at once', () => {
    const lease = documentWithGpu({ count: 'lease' })
    const both = [composite(lease, documentWithGpu({ count: 8 })), composite(documentWithGpu({ count: 8 }), lease)]
    for (const policy of both) {
      expect(policy.require).toMatchObject({ lease: 'required-with-gpu-count', gpu: { count: 8 } })
    }
    expect(composite(lease, lease).require).toMatchObject({ lease: 'if-given', gpu: { count: 'lease' } })
  })

  it('a floor that leaves GPUs open takes any GPU rule', () => {
    const open = documentWith({}, {}, { gpu: 'any' })
    expect(composite(open, documentWithGpu()).require.gpu).toMatchObject(GPU)
    expect(composite(open, documentWith({})).require.gpu).toBe('none')
  })

  it('trusts the signers that both trust', () => {
    const signers = (...list: unknown[]) =>
      documentWith({}, list.length === 0 ? {} : { referenceValues: { signers: list } })
    expect(composite(signers(SIGNER, OTHER_SIGNER), signers(SIGNER)).referenceValues).toEqual({ signers: [SIGNER] })
    expect(composite(signers(SIGNER), signers()).referenceValues).toEqual({ signers: [SIGNER] })
    expect(composite(signers(), signers(SIGNER)).referenceValues).toEqual({ signers: [SIGNER] })
    refused(signers(SIGNER), signers(OTHER_SIGNER), 'POLICY_BELOW_FLOOR /referenceValues/signers')
  })

  it('keeps what either demands of a machine that is given keys, within the bounds of the floor', () => {
    const release = (keyRelease: unknown) =>
      documentWith({ measurements: [DIGEST] }, { keyRelease, referenceValues: { signers: [SIGNER] } })
    expect(composite(release('none'), release({ ttlSeconds: 60 })).keyRelease).toEqual({ minLevel: 5, ttlSeconds: 60 })
    expect(composite(release({ ttlSeconds: 60 }), release('none')).keyRelease).toEqual({
      minLevel: 5,
      ttlSeconds: 60,
    })
    expect(composite(release('none'), release('none')).keyRelease).toBe('none')
    expect(composite(release({ ttlSeconds: 60 }), release({})).keyRelease).toEqual({ minLevel: 5, ttlSeconds: 60 })
    refused(release({ ttlSeconds: 60 }), release({ ttlSeconds: 61 }), 'POLICY_BELOW_FLOOR /keyRelease/ttlSeconds')
  })

  describe('alternatives', () => {
    const any = (...rules: Json[]) =>
      documentWith({}, {}, { cpu: { any: rules.map((r) => ({ platform: 'amd/snp', ...r })) } })
    const genoaOrTurin = any({ products: ['Genoa'], minReportVersion: 4 }, { products: ['Turin'] })

    it('pairs each of the tenant with each of the floor that it can meet', () => {
      const rules = composite(genoaOrTurin, any({ minGuestSvn: 2 })).require.cpu.any
      expect(rules).toMatchObject([
        { products: ['Genoa'], minReportVersion: 4, minGuestSvn: 2 },
        { products: ['Turin'], minReportVersion: 3, minGuestSvn: 2 },
      ])
      expect(composite(genoaOrTurin, any({ products: ['Turin'] })).require.cpu.any).toHaveLength(1)
    })

    it('refuses one that loosens every alternative of the floor, by the nearest', () => {
      refused(
        genoaOrTurin,
        any({ products: ['Turin'] }, { products: ['Turin'], revocation: 'none' }),
        'POLICY_BELOW_FLOOR /require/cpu/any/1/revocation',
      )
    })

    it('refuses more pairs than a policy may have alternatives', () => {
      const several = (count: number, step: number) =>
        any(...Array.from({ length: count }, (_, i) => ({ minGuestSvn: i * step })))
      expect(composite(several(2, 1), several(4, 10)).require.cpu.any).toHaveLength(8)
      refused(several(3, 1), several(3, 10), 'LIMIT_POLICY /require/cpu/any')
    })

    it('refuses what no pair can meet', () => {
      const chip = (byte: string) => any({ measurements: [byte.repeat(48)] })
      refused(chip('aa'), chip('bb'), 'POLICY_BELOW_FLOOR /require/cpu/any/0/measurements')
      const smt = any({ platformInfo: { tsmeEnabled: 'required' } })
      refused(
        smt,
        any({ platformInfo: { tsmeEnabled: 'forbidden' } }),
        'POLICY_BELOW_FLOOR /require/cpu/any/0/platformInfo/tsmeEnabled',
      )
    })
  })
})
