import type { Code } from '../../core/codes.ts'
import type { Tee } from './model.ts'

/** The codes of one condition for both technologies: a quote is told about in words of its own. */
export interface CollateralCodes {
  readonly tcbInfoMissing: Code
  readonly qeIdentityMissing: Code
  readonly signerMissing: Code
  readonly signature: Code
  readonly malformed: Code
  readonly tcbInfoKind: Code
  readonly fmspcMismatch: Code
  readonly components: Code
  readonly levelMalformed: Code
  readonly statusUnknown: Code
  readonly noLevel: Code
  readonly revoked: Code
  readonly qeIdentityMismatch: Code
}

/** What is told about Intel's collateral and the TCB, by technology. */
export const COLLATERAL_CODES: Readonly<Record<Tee, CollateralCodes>> = {
  TDX: {
    tcbInfoMissing: 'TDX_TCB_INFO_MISSING',
    qeIdentityMissing: 'TDX_QE_IDENTITY_MISSING',
    signerMissing: 'TDX_TCB_SIGNER_MISSING',
    signature: 'TDX_COLLATERAL_SIGNATURE',
    malformed: 'TDX_COLLATERAL_MALFORMED',
    tcbInfoKind: 'TDX_TCB_INFO_KIND',
    fmspcMismatch: 'TDX_FMSPC_MISMATCH',
    components: 'TDX_TCB_COMPONENTS',
    levelMalformed: 'TDX_TCB_LEVEL_MALFORMED',
    statusUnknown: 'TDX_TCB_STATUS_UNKNOWN',
    noLevel: 'TDX_TCB_NO_LEVEL',
    revoked: 'TDX_TCB_REVOKED',
    qeIdentityMismatch: 'TDX_QE_IDENTITY_MISMATCH',
  },
  SGX: {
    tcbInfoMissing: 'SGX_TCB_INFO_MISSING',
    qeIdentityMissing: 'SGX_QE_IDENTITY_MISSING',
    signerMissing: 'SGX_TCB_SIGNER_MISSING',
    signature: 'SGX_COLLATERAL_SIGNATURE',
    malformed: 'SGX_COLLATERAL_MALFORMED',
    tcbInfoKind: 'SGX_TCB_INFO_KIND',
    fmspcMismatch: 'SGX_FMSPC_MISMATCH',
    components: 'SGX_TCB_COMPONENTS',
    levelMalformed: 'SGX_TCB_LEVEL_MALFORMED',
    statusUnknown: 'SGX_TCB_STATUS_UNKNOWN',
    noLevel: 'SGX_TCB_NO_LEVEL',
    revoked: 'SGX_TCB_REVOKED',
    qeIdentityMismatch: 'SGX_QE_IDENTITY_MISMATCH',
  },
}
