import { describe, expect, it } from 'vitest'
import { type AppraisalSubject, appraise, presetPolicy } from '../../src/policy/index.ts'
import { cpuItem, DIGEST, documentWith, gpuItem, parsed, policyOf, SIGNER, subjectOf, told } from './support.ts'

const extending = (require: object = {}, members: object = {}) => ({
  version: 1,
  name: 'ours',
  extends: 'h100-confidential',
  ...(Object.keys(require).length === 0 ? {} : { require }),
  ...members,
})
const refused = (document: unknown, ...faults: string[]) => expect(told(parsed(document))).toEqual(faults)

describe('extends', () => {
  const preset = presetPolicy('h100-confidential')

  it('takes everything from the preset but the name', () => {
    expect(policyOf(extending())).toEqual({ ...preset, name: 'ours' })
  })

  it('keeps what is not written, at every depth', () => {
    const policy = policyOf(
      extending(
        { level: 3, cpu: { any: [{ platform: 'amd/snp', measurements: [DIGEST] }] }, gpu: { minDriver: '580.65.06' } },
        { comment: 'see ticket 17' },
      ),
    )
    const [alternative] = preset.require.cpu.any
    expect(policy.require.level).toBe(3)
    expect(policy.require.cpu.any).toEqual([{ ...alternative, measurements: [DIGEST] }])
    expect(policy.require.gpu).toEqual({ ...(preset.require.gpu as object), minDriver: '580.65.06' })
  })

  it('lets a silent member stay as loose as the preset has it', () => {
    expect(policyOf(extending({ gpu: { count: 1 } })).require.gpu).toMatchObject({
      count: 1,
      revocation: 'stapled',
      devtools: 'not-proved',
    })
  })

  it('a number of GPUs stands beside the lease that the preset compares with, and does not replace it', () => {
    const policy = policyOf(extending({ gpu: { count: 1 } }))
    expect(policy.require.lease).toBe('required-with-gpu-count')
    const lease = { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: undefined, hostData: undefined } as const
    const codesUnder = (given: AppraisalSubject['lease'], from = policy) =>
      appraise(from, subjectOf([cpuItem(), gpuItem()], { lease: given })).faults.map(({ fault }) => fault.code)
    expect(codesUnder(lease)).toEqual([])
    for (const silent of [null, { ...lease, gpuCount: undefined }]) {
      expect(codesUnder(silent, preset)).toEqual(['APPRAISAL_LEASE_MISSING'])
      expect(codesUnder(silent)).toEqual(['APPRAISAL_LEASE_MISSING'])
    }
    expect(codesUnder({ ...lease, gpuCount: 2 })).toEqual(['GPU_COUNT_MISMATCH'])
  })

  it('tightens every kind of rule', () => {
    const policy = policyOf(
      extending(
        {
          physical: ['hyperscaler'],
          leaseBinding: 'host-data',
          gpu: {
            models: ['H100'],
            modes: ['SPT'],
            revocation: 'required',
            binding: 'measured-guest',
            denyDrivers: ['580.65.06'],
          },
        },
        {
          freshness: { maxAgeSeconds: 30 },
          referenceValues: { signers: [SIGNER] },
          collateral: { maxAgeSeconds: 86400 },
        },
      ),
    )
    expect(policy).toMatchObject({
      freshness: { maxAgeSeconds: 30 },
      require: { leaseBinding: 'host-data', gpu: { models: ['H100'] } },
    })
  })

  it.each([
    ['level', { level: 1 }, '/require/level'],
    [
      'products',
      { cpu: { any: [{ platform: 'amd/snp', products: ['Genoa', 'Milan'] }] } },
      '/require/cpu/any/0/products',
    ],
    [
      'debug',
      { cpu: { any: [{ platform: 'amd/snp', guestPolicy: { debug: 'allowed' } }] } },
      '/require/cpu/any/0/guestPolicy/debug',
    ],
    [
      'alias check',
      { cpu: { any: [{ platform: 'amd/snp', platformInfo: { aliasCheckComplete: 'any' } }] } },
      '/require/cpu/any/0/platformInfo/aliasCheckComplete',
    ],
    [
      'floors',
      { cpu: { any: [{ platform: 'amd/snp', tcbFloors: { bulletins: '2025-01-01' } }] } },
      '/require/cpu/any/0/tcbFloors/bulletins',
    ],
    ['models', { gpu: { models: ['H100', 'B200'] } }, '/require/gpu/models'],
    ['any model', { gpu: { models: 'any' } }, '/require/gpu/models'],
    ['driver', { gpu: { minDriver: '535.86.09' } }, '/require/gpu/minDriver'],
    ['manifests', { gpu: { rim: 'none' } }, '/require/gpu/rim'],
    ['revocation', { gpu: { revocation: 'none' } }, '/require/gpu/revocation'],
    ['any GPU', { gpu: 'any' }, '/require/gpu'],
    ['no GPU', { gpu: 'none' }, '/require/gpu'],
  ])('refuses to loosen: %s', (_, require, path) => {
    refused(extending(require), `POLICY_EXTENDS_INVALID ${path}`)
  })

  it('refuses to loosen by members outside of require', () => {
    refused(extending({}, { profile: 'development' }), 'POLICY_EXTENDS_INVALID /profile')
    refused(extending({}, { onInconclusive: 'retry' }), 'POLICY_EXTENDS_INVALID /onInconclusive')
    refused(extending({}, { acceptRisks: ['plain-nvlink'] }), 'POLICY_EXTENDS_INVALID /acceptRisks')
  })

  it('starts each platform from its own alternative, and takes none that the preset refuses', () => {
    const any = (...rules: object[]) => extending({ cpu: { any: rules } })
    expect(policyOf(any({ platform: 'intel/tdx', minTcbDate: '2026-01-01' })).require.cpu.any).toMatchObject([
      { platform: 'intel/tdx', tcbStatus: ['UpToDate'], minTcbDate: '2026-01-01' },
    ])
    const looser = { platform: 'intel/tdx', tcbStatus: ['UpToDate', 'OutOfDate'] }
    refused(any(looser), 'POLICY_EXTENDS_INVALID /require/cpu/any/0/tcbStatus')
    refused(
      any({ platform: 'intel/sgx', mrEnclave: ['c3'.repeat(32)] }),
      'POLICY_EXTENDS_INVALID /require/cpu/any/0/platform',
    )
  })

  it('names known presets only', () => {
    refused(extending({}, { extends: 'h200-confidential' }), 'POLICY_UNKNOWN_PRESET /extends')
    refused(extending({}, { extends: 'preset:h100-confidential' }), 'POLICY_UNKNOWN_PRESET /extends')
    refused(extending({}, { extends: 'constructor' }), 'POLICY_UNKNOWN_PRESET /extends')
    for (const other of [null, 1, ['h100-confidential'], { name: 'h100-confidential' }]) {
      refused(extending({}, { extends: other }), 'POLICY_EXTENDS_INVALID /extends')
    }
  })

  it('asks for the members of a group that the preset does not have', () => {
    const document = { version: 1, name: 'x', extends: 'cpu-confidential', require: { gpu: { count: 1 } } }
    refused(
      document,
      'POLICY_KEY_MISSING /require/gpu/models',
      'POLICY_KEY_MISSING /require/gpu/binding',
      'POLICY_KEY_MISSING /require/gpu/devtools',
    )
  })

  it('judges contradictions after the preset is applied', () => {
    refused(extending({ level: 3 }), 'POLICY_UNSATISFIABLE /require/level')
    refused(extending({ gpu: { binding: 'tdisp' } }), 'POLICY_UNSATISFIABLE /require/gpu/binding')
  })
})

describe('the presets', () => {
  it('have one alternative per platform, which an extending policy starts from', () => {
    for (const name of ['cpu-confidential', 'h100-confidential'] as const) {
      expect(presetPolicy(name).require.cpu.any.map((rule) => rule.platform)).toEqual(['amd/snp', 'intel/tdx'])
      expect(presetPolicy(name).name).toBe(name)
      expect(presetPolicy(name)).toBe(presetPolicy(name))
    }
  })

  it('ask of the CPU what a silent policy asks', () => {
    const any = [{ platform: 'amd/snp' }, { platform: 'intel/tdx' }]
    const silent = policyOf(
      documentWith({}, { freshness: { maxAgeSeconds: 120 } }, { level: 2, gpu: 'any', cpu: { any } }),
    )
    expect(presetPolicy('cpu-confidential')).toEqual({ ...silent, name: 'cpu-confidential' })
    expect(presetPolicy('h100-confidential').require.cpu).toEqual(silent.require.cpu)
  })

  it('say what the GPU must show', () => {
    expect(presetPolicy('h100-confidential').require.gpu).toMatchObject({
      count: 'lease',
      models: ['H100', 'H200'],
      rim: 'required',
      revocation: 'stapled',
      binding: 'shared-nonce',
      devtools: 'not-proved',
    })
  })
})
