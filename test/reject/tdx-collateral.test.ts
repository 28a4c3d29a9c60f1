import { describe } from 'vitest'
import { collateralFiles, PLATFORM_LEVELS, teeTcbSvn } from '../../src/testing/index.ts'
import { collateralFile, judgedIntel, tdxKitRow as kitRow, td } from './intel-stage.ts'
import { row } from './row.ts'

describe('the quoting enclave', () => {
  kitRow('RJ-TDX-16', {
    codes: {
      'qe-forged': 'TDX_COLLATERAL_SIGNATURE',
      'qe-identity-id-unknown': 'TDX_COLLATERAL_MALFORMED',
      'qe-identity-version-1': 'TDX_COLLATERAL_MALFORMED',
      'qe-identity-mask-short': 'TDX_COLLATERAL_MALFORMED',
    },
  })
  kitRow('RJ-TDX-17', { codes: { 'qe-isvsvn-below-all': 'TDX_TCB_NO_LEVEL', 'qe-revoked': 'TDX_TCB_REVOKED' } })
})

describe('the levels of a TCB info', () => {
  kitRow('RJ-TDX-19', { codes: { 'level-status-missing': 'TDX_TCB_LEVEL_MALFORMED' } })
  kitRow('RJ-TDX-22', { but: ['tdx-module-missing'] })
  // The first module, which has no identity, is judged with the platform: its facts matter to a TD under it alone.
  const [{ tdx }] = PLATFORM_LEVELS.TDX as [(typeof PLATFORM_LEVELS.TDX)[number]]
  kitRow('RJ-TDX-22', {
    about: 'for a TD under the first module',
    only: ['tdx-module-missing'],
    options: { td: { teeTcbSvn: teeTcbSvn(tdx[0], 0, tdx[2]) } },
  })
  kitRow('RJ-TDX-25')
  kitRow('RJ-TDX-26', {
    codes: {
      'level-svn-fraction': 'JSON_TYPE_MISMATCH',
      'tcb-info-type-1': 'TDX_COLLATERAL_MALFORMED',
      'qe-levels-missing': 'TDX_COLLATERAL_MALFORMED',
      'module-identity-twice': 'TDX_COLLATERAL_MALFORMED',
      'qe-levels-empty': 'TDX_TCB_NO_LEVEL',
      'module-levels-empty': 'TDX_TCB_NO_LEVEL',
    },
  })
  kitRow('RJ-TDX-27', { codes: { 'levels-missing': 'TDX_COLLATERAL_MALFORMED' } })
})

describe('whom a TCB info is about', () => {
  kitRow('RJ-TDX-23', { codes: { 'tcb-info-fmspc-short': 'TDX_COLLATERAL_MALFORMED' } })
  const TD = td()
  const other = td({ platform: { fmspc: Uint8Array.of(0x90, 0xc0, 0x6f, 0, 0, 0) } })
  const third = td({ platform: { fmspc: Uint8Array.of(0x50, 0x80, 0x6f, 0, 0, 0) } })
  row('RJ-TDX-23', {
    about: 'among those of other platforms',
    twin: () => judgedIntel(TD, { files: [other, third, TD].map((m) => collateralFile(m.collateral)) }),
    bad: {
      'one of another platform': () => judgedIntel(TD, { files: [collateralFile(other.collateral)] }),
      'two of other platforms': {
        code: 'TDX_TCB_INFO_MISSING',
        check: () => judgedIntel(TD, { files: [other, third].map((m) => collateralFile(m.collateral)) }),
      },
    },
  })
  kitRow('RJ-TDX-24', {
    codes: {
      'tcb-info-version-4': 'TDX_COLLATERAL_MALFORMED',
      'tcb-info-id-unknown': 'TDX_COLLATERAL_MALFORMED',
      'tcb-info-version-2': 'TDX_TCB_COMPONENTS',
    },
  })
})

describe('who signed the documents', () => {
  kitRow('RJ-TDX-28', {
    codes: {
      'tcb-info-signature-short': 'TDX_TCB_INFO_MISSING',
      'tcb-info-signature-der': 'TDX_TCB_INFO_MISSING',
      'tcb-info-signature-missing': 'TDX_TCB_INFO_MISSING',
      'qe-identity-signature-short': 'TDX_QE_IDENTITY_MISSING',
      'qe-identity-signature-der': 'TDX_QE_IDENTITY_MISSING',
      'qe-identity-signature-missing': 'TDX_QE_IDENTITY_MISSING',
    },
  })
  kitRow('RJ-TDX-29', {
    codes: {
      'tcb-info-not-json': 'TDX_TCB_INFO_MISSING',
      'tcb-info-not-an-object': 'TDX_TCB_INFO_MISSING',
      'tcb-info-duplicate-key': 'TDX_TCB_INFO_MISSING',
      'qe-identity-not-json': 'TDX_QE_IDENTITY_MISSING',
      'qe-identity-not-an-object': 'TDX_QE_IDENTITY_MISSING',
      'qe-identity-duplicate-key': 'TDX_QE_IDENTITY_MISSING',
    },
  })
  const loose = (wrong?: 'tcb-info-reserialised' | 'tcb-info-reordered' | 'qe-identity-reordered') => {
    const machine = td(wrong === undefined ? {} : { wrong })
    return judgedIntel(machine, { files: [...collateralFiles(machine.collateral).values()] })
  }
  row('RJ-TDX-29', {
    about: 'in the bodies of PCS',
    twin: () => loose(),
    bad: {
      'a space more': () => loose('tcb-info-reserialised'),
      'TCB info in another order': () => loose('tcb-info-reordered'),
      'QE identity in another order': () => loose('qe-identity-reordered'),
    },
  })
})

describe('the PCK certificate', () => {
  kitRow('RJ-TDX-30', { codes: { 'sgx-extension-twice': 'X509_EXTENSION_DUPLICATE' } })
})
