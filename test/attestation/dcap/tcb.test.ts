import { describe, expect, it, test } from 'vitest'
import type { DcapTcbClaims, TcbStatus } from '../../../src/attestation/claims.ts'
import { converge } from '../../../src/attestation/dcap/converge.ts'
import type { PckExtension, SgxReportBody, TdTcbFacts, Tee } from '../../../src/attestation/dcap/model.ts'
import { decodeQeIdentity } from '../../../src/attestation/dcap/qe-identity.ts'
import { checkQeIdentity, evaluateTcb } from '../../../src/attestation/dcap/tcb.ts'
import { decodeTcbInfo } from '../../../src/attestation/dcap/tcb-info.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { attempt, type Outcome, take } from '../../../src/core/outcome.ts'
import { accepted, refused } from '../../reject/row.ts'
import { FMSPC, isvLevel, type LevelSpec, level, module, qeIdentityOf, tcbInfoOf } from './intel-authority.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const bytes = (size: number, ...first: readonly number[]) => Uint8Array.from({ length: size }, (_, i) => first[i] ?? 0)

interface Machine {
  readonly tee?: Tee
  readonly sgx?: readonly number[]
  readonly pceSvn?: number
  readonly tdx?: readonly number[]
  readonly svn2?: readonly number[]
  readonly pck?: Partial<PckExtension>
  readonly td?: Partial<TdTcbFacts>
  readonly qe?: Partial<SgxReportBody>
  readonly tcbInfo?: Readonly<Record<string, unknown>>
  readonly qeIdentity?: Readonly<Record<string, unknown>>
}

const qeReport = (of: Partial<SgxReportBody> = {}): SgxReportBody => ({
  ...{ cpuSvn: bytes(16), miscSelect: 1, attributes: bytes(16, 0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7) },
  ...{ mrEnclave: bytes(32), mrSigner: new Uint8Array(32).fill(0xdc), isvProdId: 2, isvSvn: 4, reportData: bytes(64) },
  ...of,
})

/** A machine at the highest level of the usual documents, but for what a test changes. */
function evaluated(machine: Machine = {}): Outcome<DcapTcbClaims> {
  const { tee = 'TDX', sgx = [3, 3], pceSvn = 13, tdx = [7, 1, 3], svn2 } = machine
  const pck: PckExtension = {
    ...{ ppid: bytes(16), components: [...bytes(16, ...sgx)], pceSvn, cpuSvn: bytes(16), pceId: bytes(2) },
    ...{ fmspc: hex(FMSPC), sgxType: 0, platformInstanceId: undefined },
    ...{ dynamicPlatform: undefined, cachedKeys: undefined, smtEnabled: undefined },
    ...machine.pck,
  }
  const td: TdTcbFacts = {
    ...{ teeTcbSvn: bytes(16, ...tdx), mrSignerSeam: bytes(48), seamAttributes: bytes(8) },
    teeTcbSvn2: svn2 === undefined ? undefined : bytes(16, ...svn2),
    ...machine.td,
  }
  const info = take(decodeTcbInfo(utf8(JSON.stringify(tcbInfoOf(tee, machine.tcbInfo))), tee, 'tcbInfo'))
  const qe = take(decodeQeIdentity(utf8(JSON.stringify(qeIdentityOf(tee, machine.qeIdentity))), tee, 'qeIdentity'))
  const facts = { pck, qeReport: qeReport(machine.qe), td: tee === 'TDX' ? td : undefined }
  return attempt(() => evaluateTcb(tee, facts, info, qe))
}
const claims = (machine?: Machine) => take(evaluated(machine))
const levels = (...specs: readonly LevelSpec[]) => ({ tcbLevels: specs.map(level) })
const modules = (...list: readonly unknown[]) => ({
  tdxModuleIdentities: [{ id: 'TDX_01', ...module, tcbLevels: list }],
})

describe('a platform', () => {
  it('at the highest level is UpToDate, and nothing is short', () => {
    expect(claims()).toEqual({
      ...{ status: 'UpToDate', advisoryIds: [], tcbDate: '2025-05-14T00:00:00Z' },
      ...{ tcbEvaluationDataNumber: 20, qeEvaluationDataNumber: 20, deficits: [] },
      platform: { status: 'UpToDate', tcbDate: '2025-05-14T00:00:00Z', advisoryIds: [] },
      module: { status: 'UpToDate', tcbDate: '2025-05-14T00:00:00Z', advisoryIds: [] },
      qe: { status: 'UpToDate', tcbDate: '2025-05-14T00:00:00Z', advisoryIds: [] },
    })
    expect(claims({ tee: 'SGX' })).toMatchObject({ status: 'UpToDate', module: undefined, deficits: [] })
  })

  it.each<[string, Machine]>([
    ['one SGX component', { sgx: [3, 2] }],
    [
      'the last SGX component',
      {
        tcbInfo: levels(
          { sgx: [...bytes(15), 1], pceSvn: 0, tdx: [0, 0, 3], status: 'UpToDate' },
          { sgx: [], pceSvn: 0, tdx: [], status: 'OutOfDate' },
        ),
      },
    ],
    [
      'PCESVN',
      {
        tcbInfo: levels(
          { sgx: [], pceSvn: 14, tdx: [], status: 'UpToDate' },
          { sgx: [], pceSvn: 13, tdx: [], status: 'OutOfDate' },
        ),
      },
    ],
    ['a TDX component from 2 on', { tdx: [7, 1, 2] }],
  ])('falls to the level below by %s', (_, machine) => {
    expect(claims(machine).platform.status).toBe('OutOfDate')
  })

  it('finds its level whatever the order of the document, the highest by SGX components, PCESVN, TDX components', () => {
    const specs: readonly LevelSpec[] = [
      { sgx: [1], pceSvn: 13, tdx: [0, 0, 9], status: 'OutOfDateConfigurationNeeded' },
      { sgx: [2], pceSvn: 5, tdx: [], status: 'OutOfDate' },
      { sgx: [2], pceSvn: 13, tdx: [0, 0, 2], status: 'SWHardeningNeeded' },
      { sgx: [2], pceSvn: 13, tdx: [0, 0, 3], status: 'UpToDate' },
    ]
    for (const order of [specs, [...specs].reverse()]) {
      expect(claims({ tcbInfo: levels(...order) }).platform.status).toBe('UpToDate')
      expect(claims({ tdx: [7, 1, 2], tcbInfo: levels(...order) }).platform.status).toBe('SWHardeningNeeded')
      expect(claims({ pceSvn: 12, tcbInfo: levels(...order) }).platform.status).toBe('OutOfDate')
    }
  })

  it('of module version 1 and later is compared without TDX components 0 and 1', () => {
    const demanding = levels({ sgx: [3, 3], pceSvn: 13, tdx: [99, 99, 3], status: 'UpToDate' })
    expect(claims({ tcbInfo: demanding }).status).toBe('UpToDate')
    refused(evaluated({ tdx: [7, 0, 3], tcbInfo: demanding }), ['TDX_TCB_NO_LEVEL'])
    const met = levels({ sgx: [3, 3], pceSvn: 13, tdx: [7, 0, 3], status: 'UpToDate' })
    expect(claims({ tdx: [7, 0, 3], tcbInfo: met })).toMatchObject({
      ...{ status: 'UpToDate', module: { status: 'UpToDate', tcbDate: '2025-05-14T00:00:00Z', advisoryIds: [] } },
    })
  })

  test.each<[string, Code, Machine, Machine]>([
    ['components below every level', 'TDX_TCB_NO_LEVEL', { sgx: [2, 2] }, { sgx: [1, 2] }],
    ['TDX components below every level', 'TDX_TCB_NO_LEVEL', { tdx: [7, 1, 2] }, { tdx: [7, 1, 1] }],
    ['PCESVN below every level', 'SGX_TCB_NO_LEVEL', { tee: 'SGX' }, { tee: 'SGX', pceSvn: 12 }],
    ['no level at all', 'SGX_TCB_NO_LEVEL', { tee: 'SGX' }, { tee: 'SGX', tcbInfo: { tcbLevels: [] } }],
    ['another FMSPC', 'TDX_FMSPC_MISMATCH', {}, { pck: { fmspc: bytes(6) } }],
    ['another PCE id', 'TDX_FMSPC_MISMATCH', {}, { pck: { pceId: bytes(2, 1) } }],
    ['another FMSPC for SGX', 'SGX_FMSPC_MISMATCH', { tee: 'SGX' }, { tee: 'SGX', pck: { fmspc: bytes(6) } }],
    ['a TCB info of SGX', 'TDX_TCB_INFO_KIND', {}, { tcbInfo: { id: 'SGX' } }],
    ['a TCB info of TDX', 'SGX_TCB_INFO_KIND', { tee: 'SGX' }, { tee: 'SGX', tcbInfo: tcbInfoOf('TDX') }],
    ['a revoked level', 'TDX_TCB_REVOKED', {}, { tcbInfo: levels({ sgx: [], pceSvn: 0, tdx: [], status: 'Revoked' }) }],
    [
      'a revoked level for SGX',
      'SGX_TCB_REVOKED',
      { tee: 'SGX' },
      { tee: 'SGX', tcbInfo: levels({ sgx: [], pceSvn: 0, status: 'Revoked' }) },
    ],
  ])('with %s: %s', (_, code, twin, bad) => {
    accepted(evaluated(twin))
    refused(evaluated(bad), [code])
  })

  it('that matches nothing is told which level is closest, and what is short of it', () => {
    const outcome = evaluated({ sgx: [1, 3], pceSvn: 12 })
    expect(outcome.ok ? undefined : outcome.faults[0]).toMatchObject({
      code: 'TDX_TCB_NO_LEVEL',
      expected:
        'sgxtcbcomponents[0] 2 (BIOS early microcode), pcesvn 13 (provisioning certification enclave (DCAP packages of the host))',
      actual: 'sgxtcbcomponents[0] 1, pcesvn 12',
    })
  })

  it('has a TD report exactly where it is TDX', () => {
    const info = take(decodeTcbInfo(utf8(JSON.stringify(tcbInfoOf('TDX'))), 'TDX', 'tcbInfo'))
    const qe = take(decodeQeIdentity(utf8(JSON.stringify(qeIdentityOf('TDX'))), 'TDX', 'qeIdentity'))
    const pck = { components: [], pceSvn: 0 } as unknown as PckExtension
    expect(() => evaluateTcb('TDX', { pck, qeReport: qeReport(), td: undefined }, info, qe)).toThrow(TypeError)
  })
})

describe('a TDX module', () => {
  it('has a level of its own, by TEE_TCB_SVN[0]', () => {
    expect(claims({ tdx: [6, 1, 3] })).toMatchObject({
      ...{ status: 'OutOfDate', advisoryIds: ['INTEL-SA-01099'] },
      platform: { status: 'UpToDate' },
      module: { status: 'OutOfDate', advisoryIds: ['INTEL-SA-01099'] },
      deficits: [{ component: 'tdxModule.isvsvn', actual: 6, required: 7, raisedBy: 'TDX module' }],
    })
  })

  it('finds its identity by two hexadecimal digits of either case', () => {
    const of = (id: string) => ({ tdxModuleIdentities: [{ id, ...module, tcbLevels: [isvLevel(1, 'UpToDate')] }] })
    expect(claims({ tdx: [7, 0x1a, 3], tcbInfo: of('TDX_1a') }).module?.status).toBe('UpToDate')
    refused(evaluated({ tdx: [7, 0x1a, 3], tcbInfo: of('TDX_26') }), ['TDX_MODULE_UNKNOWN'])
  })

  test.each<[string, Code, Machine]>([
    ['of a version without identity', 'TDX_MODULE_UNKNOWN', { tdx: [7, 9, 3] }],
    ['where the document has no identities', 'TDX_MODULE_UNKNOWN', { tcbInfo: { tdxModuleIdentities: undefined } }],
    [
      'of version 0 where the document has no module',
      'TDX_MODULE_UNKNOWN',
      { tdx: [7, 0, 3], tcbInfo: { tdxModule: undefined } },
    ],
    ['of another signer', 'TDX_SEAM_UNTRUSTED', { td: { mrSignerSeam: bytes(48, 1) } }],
    [
      'of version 0 and another signer',
      'TDX_SEAM_UNTRUSTED',
      { td: { teeTcbSvn: bytes(16, 7, 0, 3), mrSignerSeam: bytes(48, 1) } },
    ],
    ['with SEAM attributes', 'TDX_SEAM_UNTRUSTED', { td: { seamAttributes: bytes(8, 1) } }],
    [
      'with SEAM attributes that the identity names',
      'TDX_SEAM_UNTRUSTED',
      {
        td: { seamAttributes: bytes(8, 1) },
        tcbInfo: {
          tdxModuleIdentities: [
            { id: 'TDX_01', ...module, attributes: '0100000000000000', tcbLevels: [isvLevel(1, 'UpToDate')] },
          ],
        },
      },
    ],
    [
      'with SEAM attributes outside the mask',
      'TDX_SEAM_UNTRUSTED',
      {
        td: { seamAttributes: bytes(8, 1) },
        tcbInfo: {
          tdxModuleIdentities: [
            { id: 'TDX_01', ...module, attributesMask: '00'.repeat(8), tcbLevels: [isvLevel(1, 'UpToDate')] },
          ],
        },
      },
    ],
    ['below every level', 'TDX_TCB_NO_LEVEL', { tdx: [3, 1, 3] }],
    ['that is revoked', 'TDX_TCB_REVOKED', { tcbInfo: modules(isvLevel(1, 'Revoked')) }],
  ])('%s: %s', (_, code, machine) => {
    accepted(evaluated())
    refused(evaluated(machine), [code])
  })
})

describe('a quoting enclave', () => {
  it('has a level of its own', () => {
    expect(claims({ qe: { isvSvn: 3 } })).toMatchObject({
      ...{ status: 'OutOfDate', advisoryIds: ['INTEL-SA-00615'], qe: { status: 'OutOfDate' } },
      deficits: [{ component: 'qe.isvsvn', actual: 3, required: 4 }],
    })
  })

  it('may differ where the mask is zero', () => {
    accepted(
      evaluated({ qe: { attributes: bytes(16, 0x11, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), mrEnclave: bytes(32, 9) } }),
    )
    accepted(evaluated({ qe: { miscSelect: 3 }, qeIdentity: { miscselectMask: '01000000' } }))
  })

  const cases: readonly (readonly [string, Machine])[] = [
    ['another MRSIGNER', { qe: { mrSigner: new Uint8Array(32).fill(0xdd) } }],
    ['another ISVPRODID', { qe: { isvProdId: 1 } }],
    ['DEBUG set', { qe: { attributes: bytes(16, 0x17) } }],
    ['INIT clear', { qe: { attributes: bytes(16, 0x14) } }],
    ['another MISCSELECT', { qe: { miscSelect: 0x0100_0000 } }],
    ['another MISCSELECT in its highest bit', { qe: { miscSelect: 0x8000_0001 } }],
  ]
  test.each(cases)('with %s: TDX_QE_IDENTITY_MISMATCH', (_, machine) => {
    accepted(evaluated())
    refused(evaluated(machine), ['TDX_QE_IDENTITY_MISMATCH'])
    accepted(evaluated({ tee: 'SGX' }))
    refused(evaluated({ tee: 'SGX', ...machine }), ['SGX_QE_IDENTITY_MISMATCH'])
  })

  it('is judged by the identity of its technology', () => {
    const of = (tee: Tee) => take(decodeQeIdentity(utf8(JSON.stringify(qeIdentityOf(tee))), tee, 'qeIdentity'))
    accepted(attempt(() => checkQeIdentity('TDX', qeReport(), of('TDX'))))
    refused(
      attempt(() => checkQeIdentity('TDX', qeReport(), of('SGX'))),
      ['TDX_QE_IDENTITY_MISMATCH'],
    )
    refused(
      attempt(() => checkQeIdentity('SGX', qeReport(), of('TDX'))),
      ['SGX_QE_IDENTITY_MISMATCH'],
    )
  })

  it('below every level, or revoked, is refused', () => {
    refused(evaluated({ qe: { isvSvn: 1 } }), ['TDX_TCB_NO_LEVEL'])
    refused(evaluated({ qeIdentity: { tcbLevels: [isvLevel(1, 'Revoked')] } }), ['TDX_TCB_REVOKED'])
  })
})

describe('what converges', () => {
  const rows: readonly (readonly [TcbStatus, outOfDate: TcbStatus])[] = [
    ['UpToDate', 'OutOfDate'],
    ['SWHardeningNeeded', 'OutOfDate'],
    ['ConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
    ['ConfigurationAndSWHardeningNeeded', 'OutOfDateConfigurationNeeded'],
    ['OutOfDate', 'OutOfDate'],
    ['OutOfDateConfigurationNeeded', 'OutOfDateConfigurationNeeded'],
    ['TDRelaunchAdvised', 'TDRelaunchAdvised'],
    ['TDRelaunchAdvisedConfigurationNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
  ]
  it.each(rows)('%s with a part that is OutOfDate is %s', (platform, outOfDate) => {
    expect(converge(platform, 'OutOfDate')).toBe(outOfDate)
    expect(converge(platform, 'UpToDate')).toBe(platform)
    expect(converge(platform, 'Revoked')).toBe('Revoked')
    expect(converge('Revoked', platform)).toBe('Revoked')
  })

  it('is platform and module, then the quoting enclave; advisories add up, the oldest date counts', () => {
    const needsConfiguration = levels({
      sgx: [],
      pceSvn: 0,
      tdx: [],
      status: 'ConfigurationNeeded',
      advisories: ['INTEL-SA-2', 'INTEL-SA-1'],
    })
    expect(claims({ tdx: [4, 1, 3], tcbInfo: needsConfiguration, qe: { isvSvn: 2 } })).toMatchObject({
      status: 'OutOfDateConfigurationNeeded',
      advisoryIds: ['INTEL-SA-00615', 'INTEL-SA-01099', 'INTEL-SA-1', 'INTEL-SA-2'],
    })
    const old = modules(isvLevel(1, 'UpToDate', { date: '2023-01-01T00:00:00Z' }))
    expect(claims({ tcbInfo: old }).tcbDate).toBe('2023-01-01T00:00:00Z')
    const oldQe = { tcbLevels: [isvLevel(1, 'UpToDate', { date: '2022-01-01T00:00:00Z' })] }
    expect(claims({ tcbInfo: old, qeIdentity: oldQe }).tcbDate).toBe('2022-01-01T00:00:00Z')
  })
})

describe('a TD that was launched before its module was updated', () => {
  const late = { tdx: [4, 1, 3], svn2: [7, 1, 3] }

  it('need only be launched again', () => {
    expect(claims(late)).toMatchObject({ status: 'TDRelaunchAdvised', module: { status: 'OutOfDate' } })
  })

  it('needs configuration too where the platform does', () => {
    const tcbInfo = levels({ sgx: [3, 3], pceSvn: 13, tdx: [7, 1, 3], status: 'ConfigurationAndSWHardeningNeeded' })
    expect(claims({ ...late, tcbInfo }).status).toBe('TDRelaunchAdvisedConfigurationNeeded')
  })

  it('may have been launched by a module of version 0: then all is in the highest level', () => {
    expect(claims({ ...late, svn2: [7, 0, 3] }).status).toBe('TDRelaunchAdvised')
    expect(claims({ ...late, svn2: [6, 0, 3] }).status).toBe('OutOfDate')
  })

  it.each<[string, Machine]>([
    ['its report is of version 1.0', { tdx: [4, 1, 3] }],
    ['the loaded module is old as well', { ...late, svn2: [6, 1, 3] }],
    ['the loaded module has no identity', { ...late, svn2: [7, 3, 3] }],
    ['the late microcode is old', { ...late, svn2: [7, 1, 2] }],
    ['the quoting enclave is OutOfDate', { ...late, qe: { isvSvn: 2 } }],
    ['the platform is OutOfDate by its SGX components', { ...late, sgx: [2, 2] }],
  ])('is OutOfDate where %s', (_, machine) => {
    expect(claims(machine).status).toBe('OutOfDate')
  })

  it('is UpToDate where the module it was launched with is', () => {
    expect(claims({ tdx: [7, 1, 3], svn2: [9, 1, 3] }).status).toBe('UpToDate')
  })
})

describe('what is short', () => {
  it('is counted against the nearest level above that is better, and named in the words of the document', () => {
    const component = { svn: 4, category: 'BIOS', type: 'Early Microcode Update' }
    const top = level({ sgx: [4, 4], pceSvn: 14, tdx: [9, 9, 4], status: 'UpToDate' }) as {
      tcb: { sgxtcbcomponents: unknown[] }
    }
    top.tcb.sgxtcbcomponents = [component, ...top.tcb.sgxtcbcomponents.slice(1)]
    const tcbInfo = {
      tcbLevels: [
        top,
        level({ sgx: [3, 3], pceSvn: 13, tdx: [9, 9, 3], status: 'OutOfDate' }),
        level({ sgx: [2, 2], pceSvn: 13, tdx: [9, 9, 2], status: 'OutOfDate' }),
      ],
    }
    expect(claims({ sgx: [2, 4], tdx: [7, 1, 2], tcbInfo }).deficits).toEqual([
      { component: 'sgxtcbcomponents[0]', actual: 2, required: 4, raisedBy: 'BIOS: Early Microcode Update' },
      {
        component: 'pcesvn',
        actual: 13,
        required: 14,
        raisedBy: 'provisioning certification enclave (DCAP packages of the host)',
      },
      { component: 'tdxtcbcomponents[2]', actual: 2, required: 4, raisedBy: 'TDX late microcode' },
    ])
  })

  it('is nothing where no level above is better, since no update helps then', () => {
    const tcbInfo = levels(
      { sgx: [9], pceSvn: 0, tdx: [], status: 'ConfigurationNeeded' },
      { sgx: [2], pceSvn: 0, tdx: [], status: 'ConfigurationNeeded' },
    )
    expect(claims({ tcbInfo }).deficits).toEqual([])
  })
})
