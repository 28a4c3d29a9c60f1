import { describe, expect, it, test } from 'vitest'
import { decodeQeIdentity } from '../../../src/attestation/dcap/qe-identity.ts'
import { decodeTcbInfo } from '../../../src/attestation/dcap/tcb-info.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import { accepted, refused } from '../../reject/row.ts'
import { FMSPC, isvLevel, level, module, qeIdentityOf, tcbInfoOf } from './intel-authority.ts'

const text = (value: unknown) => utf8(JSON.stringify(value))
const tdx = (spec: Readonly<Record<string, unknown>> = {}) =>
  decodeTcbInfo(text(tcbInfoOf('TDX', spec)), 'TDX', 'tcbInfo')
const sgx = (spec: Readonly<Record<string, unknown>> = {}) =>
  decodeTcbInfo(text(tcbInfoOf('SGX', spec)), 'SGX', 'tcbInfo')

type Tcb = Readonly<Record<string, unknown>>
const GOOD = level({ sgx: [1], pceSvn: 5, tdx: [1], status: 'UpToDate' }) as { readonly tcb: Tcb } & Tcb
const components = (count: number, svn: unknown = 1) => Array.from({ length: count }, () => ({ svn }))
const levelsOf = (tcb: Tcb, rest: Tcb = {}) => ({ tcbLevels: [{ ...GOOD, ...rest, tcb: { ...GOOD.tcb, ...tcb } }] })

describe('a TCB info', () => {
  it('of version 3 is read member by member', () => {
    const info = take(tdx())
    expect(info).toMatchObject({ id: 'TDX', version: 3, tcbEvaluationDataNumber: 20 })
    expect([toHex(info.fmspc), toHex(info.pceId)]).toEqual([FMSPC, '0000'])
    expect(info.tdxModuleIdentities.map((m) => [m.id, m.levels.map((l) => l.isvSvn)])).toEqual([['TDX_01', [7, 4]]])
    expect(info.levels.map((l) => [l.status, l.pceSvn, l.sgxComponents.length, l.tdxComponents?.length])).toEqual([
      ['UpToDate', 13, 16, 16],
      ['OutOfDate', 13, 16, 16],
    ])
    expect(info.levels.map((l) => l.advisoryIds)).toEqual([[], ['INTEL-SA-01036']])
  })

  it('of version 2 is flat, names no technology, and is about SGX', () => {
    const flat = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`, i]),
    )
    const { id: _, ...info } = tcbInfoOf('SGX', { version: 2 })
    const levels = (of: Tcb) => [{ tcb: { ...of, pcesvn: 9 }, tcbDate: '2022-08-10T00:00:00Z', tcbStatus: 'UpToDate' }]
    const v2 = (of: Tcb) => decodeTcbInfo(text({ ...info, tcbLevels: levels(of) }), 'SGX', 'tcbInfo')
    expect(take(v2(flat))).toMatchObject({ id: 'SGX', version: 2, tdxModule: undefined, tdxModuleIdentities: [] })
    expect(take(v2(flat)).levels[0]?.sgxComponents.map((c) => c.svn)).toEqual(Array.from({ length: 16 }, (_, i) => i))
    refused(v2({ ...flat, sgxtcbcomp16svn: undefined }), ['SGX_TCB_COMPONENTS'])
    refused(v2({ ...flat, sgxtcbcomp16svn: '9' }), ['SGX_TCB_LEVEL_MALFORMED'])
  })

  it('may have members that nobody here reads: Intel adds some within one version', () => {
    accepted(tdx({ added: { by: 'Intel' } }))
  })

  const cases: readonly (readonly [what: string, condition: string, spec: Tcb, twin?: Tcb])[] = [
    [
      '15 SGX components',
      'TCB_COMPONENTS',
      levelsOf({ sgxtcbcomponents: components(15) }),
      levelsOf({ sgxtcbcomponents: components(16) }),
    ],
    ['17 SGX components', 'TCB_COMPONENTS', levelsOf({ sgxtcbcomponents: components(17) })],
    ['no SGX components', 'TCB_COMPONENTS', levelsOf({ sgxtcbcomponents: undefined })],
    ['no PCESVN', 'TCB_LEVEL_MALFORMED', levelsOf({ pcesvn: undefined }), levelsOf({ pcesvn: 9 })],
    ['a PCESVN as text', 'TCB_LEVEL_MALFORMED', levelsOf({ pcesvn: '9' })],
    ['a PCESVN of 17 bits', 'TCB_LEVEL_MALFORMED', levelsOf({ pcesvn: 65_536 }), levelsOf({ pcesvn: 65_535 })],
    ['an SVN as text', 'TCB_LEVEL_MALFORMED', levelsOf({ sgxtcbcomponents: components(16, '1') })],
    [
      'an SVN of 9 bits',
      'TCB_LEVEL_MALFORMED',
      levelsOf({ sgxtcbcomponents: components(16, 256) }),
      levelsOf({ sgxtcbcomponents: components(16, 255) }),
    ],
    ['a negative SVN', 'TCB_LEVEL_MALFORMED', levelsOf({ sgxtcbcomponents: components(16, -1) })],
    ['a level without date', 'TCB_LEVEL_MALFORMED', levelsOf({}, { tcbDate: undefined })],
    ['a date that does not exist', 'TCB_LEVEL_MALFORMED', levelsOf({}, { tcbDate: '2026-02-30T00:00:00Z' })],
    [
      'advisories as text',
      'TCB_LEVEL_MALFORMED',
      levelsOf({}, { advisoryIDs: 'INTEL-SA-00615' }),
      levelsOf({}, { advisoryIDs: [] }),
    ],
    ['an advisory that is no name', 'TCB_LEVEL_MALFORMED', levelsOf({}, { advisoryIDs: ['\n'] })],
    ['a level that is no object', 'TCB_LEVEL_MALFORMED', { tcbLevels: [null] }],
    [
      'an unknown status',
      'TCB_STATUS_UNKNOWN',
      levelsOf({}, { tcbStatus: 'UpToDateish' }),
      levelsOf({}, { tcbStatus: 'SWHardeningNeeded' }),
    ],
    ['a status of other case', 'TCB_STATUS_UNKNOWN', levelsOf({}, { tcbStatus: 'uptodate' })],
    ['a status that only an evaluation gives', 'TCB_STATUS_UNKNOWN', levelsOf({}, { tcbStatus: 'TDRelaunchAdvised' })],
    ['version 4', 'COLLATERAL_MALFORMED', { version: 4 }],
    ['a version as text', 'COLLATERAL_MALFORMED', { version: '3' }],
    ['another technology', 'COLLATERAL_MALFORMED', { id: 'SEV' }],
    ['another way of comparing', 'COLLATERAL_MALFORMED', { tcbType: 1 }],
    ['a short FMSPC', 'COLLATERAL_MALFORMED', { fmspc: '90c06f0000' }, { fmspc: '90C06f000000' }],
    ['an issue date without zone', 'COLLATERAL_MALFORMED', { issueDate: '2026-07-20T00:00:00' }],
    ['no next update', 'COLLATERAL_MALFORMED', { nextUpdate: undefined }],
    ['no evaluation number', 'COLLATERAL_MALFORMED', { tcbEvaluationDataNumber: undefined }],
    ['no levels', 'COLLATERAL_MALFORMED', { tcbLevels: undefined }, { tcbLevels: [] }],
  ]
  for (const [what, condition, spec, twin = {}] of cases) {
    test(`TDX_${condition}, SGX_${condition}: ${what}`, () => {
      for (const [prefix, decode] of [
        ['TDX', tdx],
        ['SGX', sgx],
      ] as const) {
        accepted(decode(twin))
        refused(decode(spec), [`${prefix}_${condition}` as Code])
      }
    })
  }

  const identity = (spec: Tcb) => ({ tdxModuleIdentities: [{ id: 'TDX_01', ...module, tcbLevels: [], ...spec }] })
  const tdxCases: readonly (readonly [what: string, code: Code, spec: Tcb])[] = [
    ['no TDX components', 'TDX_TCB_COMPONENTS', levelsOf({ tdxtcbcomponents: undefined })],
    ['15 TDX components', 'TDX_TCB_COMPONENTS', levelsOf({ tdxtcbcomponents: components(15) })],
    ['a module without signer', 'TDX_COLLATERAL_MALFORMED', identity({ mrsigner: undefined })],
    [
      'a module of the same version twice',
      'TDX_COLLATERAL_MALFORMED',
      { tdxModuleIdentities: [1, 2].map(() => identity({}).tdxModuleIdentities[0]) },
    ],
    [
      'a module level as text',
      'TDX_TCB_LEVEL_MALFORMED',
      identity({ tcbLevels: [{ ...isvLevel(1, 'UpToDate'), tcb: { isvsvn: '1' } }] }),
    ],
    [
      'a word that is none of a module’s',
      'TDX_TCB_STATUS_UNKNOWN',
      identity({ tcbLevels: [isvLevel(1, 'ConfigurationNeeded')] }),
    ],
  ]
  test.each(tdxCases)('of TDX with %s: %s', (_, code, spec) => {
    accepted(tdx(identity({ tcbLevels: [isvLevel(1, 'UpToDate')] })))
    refused(tdx(spec), [code])
  })

  it('has whole numbers only, however they are spelled', () => {
    const spelled = (number: string) => JSON.stringify(tcbInfoOf('TDX')).replace('"pcesvn":13', `"pcesvn":${number}`)
    accepted(decodeTcbInfo(utf8(spelled('13')), 'TDX', 'tcbInfo'))
    refused(decodeTcbInfo(utf8(spelled('13.0')), 'TDX', 'tcbInfo'), ['JSON_TYPE_MISMATCH'])
    refused(decodeTcbInfo(utf8(spelled('9007199254740993')), 'TDX', 'tcbInfo'), ['TDX_TCB_LEVEL_MALFORMED'])
  })
})

describe('an identity of a quoting enclave', () => {
  const qe = (spec: Tcb = {}) => decodeQeIdentity(text(qeIdentityOf('TDX', spec)), 'TDX', 'qeIdentity')

  it('is read member by member, MISCSELECT as its memory looks', () => {
    expect(take(qe({ miscselect: '01020000', miscselectMask: 'FFFFFF7F' }))).toMatchObject({
      ...{ id: 'TD_QE', version: 2, isvProdId: 2, miscSelect: 0x201, miscSelectMask: 0x7fff_ffff },
      levels: [
        { isvSvn: 4, status: 'UpToDate' },
        { isvSvn: 2, status: 'OutOfDate' },
      ],
    })
  })

  test.each<[string, Code, Tcb]>([
    ['version 1', 'TDX_COLLATERAL_MALFORMED', { version: 1 }],
    ['version 3', 'TDX_COLLATERAL_MALFORMED', { version: 3 }],
    ['the identity of another enclave', 'TDX_COLLATERAL_MALFORMED', { id: 'QVE' }],
    ['a short signer', 'TDX_COLLATERAL_MALFORMED', { mrsigner: 'DC' }],
    ['no mask', 'TDX_COLLATERAL_MALFORMED', { attributesMask: undefined }],
    ['an ISVPRODID as text', 'TDX_COLLATERAL_MALFORMED', { isvprodid: '2' }],
    ['a level without ISVSVN', 'TDX_TCB_LEVEL_MALFORMED', { tcbLevels: [{ ...isvLevel(1, 'UpToDate'), tcb: {} }] }],
    ['a word of a platform', 'TDX_TCB_STATUS_UNKNOWN', { tcbLevels: [isvLevel(1, 'SWHardeningNeeded')] }],
  ])('with %s: %s', (_, code, spec) => {
    accepted(qe())
    refused(qe(spec), [code])
  })

  it('is no TCB info, and the other way round, though one key signs both', () => {
    refused(decodeQeIdentity(text(tcbInfoOf('TDX')), 'TDX', 'qeIdentity'), ['TDX_COLLATERAL_MALFORMED'])
    refused(decodeTcbInfo(text(qeIdentityOf('TDX')), 'TDX', 'tcbInfo'), ['TDX_COLLATERAL_MALFORMED'])
  })
})
