import type { UnixSeconds } from '../../core/time.ts'
import type { TcbStatus } from '../claims.ts'

/** What TDX and SGX share: one quoting enclave, one certificate hierarchy, one set of collateral (intel-dcap.md). */
export type Tee = 'SGX' | 'TDX'

/** SGX report body, 384 bytes: of an enclave, and of the quoting enclave itself. Byte fields are views into the quote. */
export interface SgxReportBody {
  /** 16 bytes */
  readonly cpuSvn: Uint8Array
  readonly miscSelect: number
  /** 16 bytes: 8 of flags, 8 of XFRM */
  readonly attributes: Uint8Array
  /** 32 bytes */
  readonly mrEnclave: Uint8Array
  /** 32 bytes */
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  /** 64 bytes */
  readonly reportData: Uint8Array
}

/** The parts of a TD report that the TCB evaluation looks at. */
export interface TdTcbFacts {
  /** 16 bytes */
  readonly teeTcbSvn: Uint8Array
  /** 48 bytes */
  readonly mrSignerSeam: Uint8Array
  /** 8 bytes */
  readonly seamAttributes: Uint8Array
  /** 16 bytes; undefined in TD reports 1.0 */
  readonly teeTcbSvn2: Uint8Array | undefined
}

/** Intel's extension of a PCK certificate, OID 1.2.840.113741.1.13.1. */
export interface PckExtension {
  /** 16 bytes */
  readonly ppid: Uint8Array
  /** 16 component SVNs, each 0–255 */
  readonly components: readonly number[]
  readonly pceSvn: number
  /** 16 bytes */
  readonly cpuSvn: Uint8Array
  /** 2 bytes */
  readonly pceId: Uint8Array
  /** 6 bytes */
  readonly fmspc: Uint8Array
  readonly sgxType: 0 | 1 | 2
  /** 16 bytes; Platform CA only */
  readonly platformInstanceId: Uint8Array | undefined
  readonly dynamicPlatform: boolean | undefined
  readonly cachedKeys: boolean | undefined
  readonly smtEnabled: boolean | undefined
}

export interface SvnComponent {
  readonly svn: number
  /** Intel's own words, where the document has them: `BIOS`, `OS/VMM` … */
  readonly category: string | undefined
  readonly type: string | undefined
}

export interface TcbLevel {
  /** 16 */
  readonly sgxComponents: readonly SvnComponent[]
  readonly pceSvn: number
  /** 16; undefined in documents about SGX */
  readonly tdxComponents: readonly SvnComponent[] | undefined
  readonly tcbDate: string
  readonly status: TcbStatus
  readonly advisoryIds: readonly string[]
}

/** A level of the TDX module or of a quoting enclave. */
export interface IsvSvnLevel {
  readonly isvSvn: number
  readonly tcbDate: string
  readonly status: TcbStatus
  readonly advisoryIds: readonly string[]
}

export interface TdxModule {
  /** 48 bytes */
  readonly mrSigner: Uint8Array
  /** 8 bytes */
  readonly attributes: Uint8Array
  readonly attributesMask: Uint8Array
}

export interface TdxModuleIdentity extends TdxModule {
  /** `TDX_01`, upper case */
  readonly id: string
  readonly levels: readonly IsvSvnLevel[]
}

/** A TCB info document, read from the very bytes that are signed. */
export interface TcbInfo {
  readonly id: Tee
  readonly version: 2 | 3
  readonly issueDate: UnixSeconds
  readonly nextUpdate: UnixSeconds
  /** 6 bytes */
  readonly fmspc: Uint8Array
  /** 2 bytes */
  readonly pceId: Uint8Array
  readonly tcbEvaluationDataNumber: number
  readonly tdxModule: TdxModule | undefined
  readonly tdxModuleIdentities: readonly TdxModuleIdentity[]
  /** in the order of the document; the evaluation sorts */
  readonly levels: readonly TcbLevel[]
}

export interface QeIdentity {
  readonly id: 'QE' | 'TD_QE'
  readonly version: number
  readonly issueDate: UnixSeconds
  readonly nextUpdate: UnixSeconds
  readonly tcbEvaluationDataNumber: number
  /** little-endian memory dumps, 4 bytes each */
  readonly miscSelect: number
  readonly miscSelectMask: number
  /** 16 bytes each */
  readonly attributes: Uint8Array
  readonly attributesMask: Uint8Array
  /** 32 bytes */
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly levels: readonly IsvSvnLevel[]
}
