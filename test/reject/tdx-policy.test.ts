import { describe } from 'vitest'
import { toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { flipBit } from '../../src/testing/bytes.ts'
import { intelDocument, judgedIntel, judgedTd, tdxKitRow as kitRow, td, tdxPolicy } from './intel-stage.ts'
import { row } from './row.ts'
import { referenceValue, SIGNED_BY_TEAM } from './signer.ts'
import { LEASE, policyOf } from './stage.ts'

const EXPECTED = td().expected
const hexOf = (bytes: Uint8Array | undefined): string => toHex(bytes ?? new Uint8Array(48))
const REGISTERS = ['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const
const RTMRS = REGISTERS.map((name) => hexOf(EXPECTED[name]))
const MRTD = hexOf(EXPECTED.mrTd)

describe('the attributes of a TD', () => {
  kitRow('RJ-TDX-12')
  row('RJ-TDX-12', {
    about: 'whatever else the policy takes',
    twin: () => judgedTd({}, { policy: tdxPolicy({ tdAttributes: { perfmon: 'allowed', migratable: 'allowed' } }) }),
    bad: () =>
      judgedTd(
        { wrong: 'td-debug' },
        { policy: tdxPolicy({ tdAttributes: { perfmon: 'allowed', migratable: 'allowed' } }) },
      ),
  })
  kitRow('RJ-TDX-13', {
    but: ['td-pks', 'td-key-locker'],
    codes: {
      'td-migratable': 'TDX_ATTRIBUTE_FORBIDDEN',
      'td-perfmon': 'TDX_ATTRIBUTE_FORBIDDEN',
      'td-no-sept-ve-disable': 'TDX_SEPT_VE_ENABLED',
    },
  })
  kitRow('RJ-TDX-13', {
    about: 'keys of the guest that the policy forbids',
    only: ['td-pks', 'td-key-locker'],
    policy: tdxPolicy({ tdAttributes: { pks: 'forbidden', keyLocker: 'forbidden' } }),
    codes: { 'td-pks': 'TDX_ATTRIBUTE_FORBIDDEN', 'td-key-locker': 'TDX_ATTRIBUTE_FORBIDDEN' },
  })
  kitRow('RJ-TDX-14')
  const bound = td({ wrong: 'td-service-td' })
  const named = (mrServiceTd: Uint8Array) => ({ policy: tdxPolicy({ serviceTds: [toHex(mrServiceTd)] }) })
  // Where MRSERVICETD stands in a quote of version 5 (intel-dcap.md §1).
  const mrServiceTd = bound.quote.subarray(54 + 600, 54 + 648)
  row('RJ-TDX-14', {
    about: 'another than the one that is named',
    twin: () => judgedIntel(bound, named(mrServiceTd)),
    bad: () => judgedIntel(bound, named(flipBit(mrServiceTd, 0))),
  })
  kitRow('RJ-TDX-15')
})

describe('the TCB, as the policy takes it', () => {
  kitRow('RJ-TDX-20', {
    codes: {
      'platform-SWHardeningNeeded': 'TDX_TCB_STATUS_NOT_ALLOWED',
      'platform-ConfigurationNeeded': 'TDX_TCB_STATUS_NOT_ALLOWED',
      'platform-ConfigurationAndSWHardeningNeeded': 'TDX_TCB_STATUS_NOT_ALLOWED',
    },
  })
  const taking = (...tcbStatus: readonly string[]) => ({ policy: tdxPolicy({ tcbStatus: [...tcbStatus] }) })
  row('RJ-TDX-20', {
    about: 'beside a policy that takes it',
    twin: {
      OutOfDate: () => judgedTd({ level: 'OutOfDate' }, taking('UpToDate', 'OutOfDate')),
      OutOfDateConfigurationNeeded: () =>
        judgedTd({ level: 'OutOfDateConfigurationNeeded' }, taking('UpToDate', 'OutOfDateConfigurationNeeded')),
    },
    bad: {
      OutOfDate: () => judgedTd({ level: 'OutOfDate' }, taking('UpToDate', 'OutOfDateConfigurationNeeded')),
      OutOfDateConfigurationNeeded: () =>
        judgedTd({ level: 'OutOfDateConfigurationNeeded' }, taking('UpToDate', 'OutOfDate')),
    },
  })
  kitRow('RJ-TDX-21')

  kitRow('RJ-TDX-18')
  const lax = tdxPolicy({
    tcbStatus: [
      ...['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'],
      ...['OutOfDate', 'OutOfDateConfigurationNeeded', 'TDRelaunchAdvised', 'TDRelaunchAdvisedConfigurationNeeded'],
    ],
  })
  kitRow('RJ-TDX-18', { about: 'under a policy that takes everything it can name', policy: lax })

  const current = td()
  const advised = td({ wrong: 'level-advisory' })
  const denying = { policy: tdxPolicy({ denyAdvisories: ['INTEL-SA-01397'] }) }
  const taken = (...advisories: readonly string[]) => ({ policy: tdxPolicy({ advisories: [...advisories] }) })
  row('RJ-TDX-35', {
    twin: {
      denied: () => judgedIntel(current, denying),
      'not taken': () => judgedIntel(advised, taken('INTEL-SA-01397')),
    },
    bad: {
      denied: () => judgedIntel(advised, denying),
      'not taken': () => judgedIntel(advised, taken('INTEL-SA-00615')),
    },
  })
})

describe('the platform', () => {
  const { fmspc, ppid, platformInstanceId } = td().platform
  const denied = (id: Uint8Array | undefined) =>
    judgedTd({}, { policy: tdxPolicy({ denyPlatforms: ['01'.repeat(6), toHex(id ?? new Uint8Array(16))] }) })
  const other = (id: Uint8Array | undefined) => denied(flipBit(id ?? new Uint8Array(16), 0))
  row('RJ-TDX-31', {
    twin: {
      FMSPC: () => other(fmspc),
      PPID: () => other(ppid),
      'platform instance id': () => other(platformInstanceId),
    },
    bad: {
      FMSPC: () => denied(fmspc),
      PPID: () => denied(ppid),
      'platform instance id': () => denied(platformInstanceId),
    },
  })
})

describe('what was launched', () => {
  const rtmr = { '0': [RTMRS[0]], '1': [RTMRS[1]], '2': [RTMRS[2]], '3': [RTMRS[3]] } as JsonObject
  kitRow('RJ-TDX-32', { policy: tdxPolicy({ mrTd: [MRTD], rtmr }, {}, { level: 3 }) })

  const vouched = policyOf(intelDocument({ platform: 'intel/tdx' }, SIGNED_BY_TEAM, { level: 3 }))
  const known = [
    referenceValue({
      kind: 'intel/tdx-quote',
      measurements: [{ mrTd: MRTD, rtmr0: RTMRS[0] ?? '', rtmr1: RTMRS[1] ?? '', rtmr2: RTMRS[2] ?? '' }],
    }),
  ]
  const shown = (wrong?: 'mrtd-other' | 'rtmr0-other' | 'rtmr1-other' | 'rtmr2-other') =>
    judgedTd(wrong === undefined ? {} : { wrong }, { policy: vouched, referenceValues: known })
  row('RJ-TDX-32', {
    about: 'by signed reference values',
    twin: () => shown(),
    bad: {
      MRTD: () => shown('mrtd-other'),
      RTMR0: () => shown('rtmr0-other'),
      RTMR1: () => shown('rtmr1-other'),
      RTMR2: () => shown('rtmr2-other'),
    },
  })

  const owned = { mrOwner: new Uint8Array(48).fill(2), mrOwnerConfig: new Uint8Array(48).fill(3) }
  kitRow('RJ-TDX-33', {
    options: { td: owned },
    policy: tdxPolicy({
      mrConfigId: [hexOf(EXPECTED.mrConfigId)],
      mrOwner: [toHex(owned.mrOwner)],
      mrOwnerConfig: [toHex(owned.mrOwnerConfig)],
    }),
  })
  const ofLease = { ...LEASE, teeType: 'cpu', gpuCount: undefined, gpuModel: undefined } as const
  const leased = (mrConfigId: string) =>
    judgedTd({}, { policy: tdxPolicy({}, {}, { leaseBinding: 'host-data' }), lease: { ...ofLease, mrConfigId } })
  row('RJ-TDX-33', {
    about: 'by the lease itself',
    twin: () => leased(hexOf(EXPECTED.mrConfigId)),
    bad: () => leased('ab'.repeat(48)),
  })
})
