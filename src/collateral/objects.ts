import type { CollateralFile } from '../attestation/collateral.ts'
import type { Outcome } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { AmdProduct } from '../core/trust-anchors.ts'

/**
 * One object of a vendor's, named by what it is and never by an address: where it is fetched from is the verifier's own
 * configuration. Texts are lower-case hexadecimal unless said.
 */
export type CollateralRequest =
  | {
      readonly kind: 'amd-vcek'
      readonly product: AmdProduct
      /** 64 bytes of Milan and Genoa, 8 of Turin */
      readonly hwid: string
      /** the REPORTED_TCB that the certificate is for; `fmc` counts for Turin alone */
      readonly tcb: {
        readonly fmc: number
        readonly bootloader: number
        readonly tee: number
        readonly snp: number
        readonly microcode: number
      }
    }
  /** ASK or ASVK, and ARK */
  | { readonly kind: 'amd-chain'; readonly product: AmdProduct; readonly key: 'vcek' | 'vlek' }
  | { readonly kind: 'amd-crl'; readonly product: AmdProduct; readonly key: 'vcek' | 'vlek' }
  | {
      readonly kind: 'intel-tcb-info'
      readonly tee: 'sgx' | 'tdx'
      /** 6 bytes */
      readonly fmspc: string
      readonly update: 'standard' | 'early'
    }
  | { readonly kind: 'intel-qe-identity'; readonly tee: 'sgx' | 'tdx'; readonly update: 'standard' | 'early' }
  | { readonly kind: 'intel-evaluation-numbers'; readonly tee: 'sgx' | 'tdx' }
  | { readonly kind: 'intel-pck-crl'; readonly ca: 'processor' | 'platform' }
  | { readonly kind: 'intel-root-crl' }
  /** `NV_GPU_DRIVER_GH100_550.144.03` */
  | { readonly kind: 'nvidia-rim'; readonly id: string }
  | {
      readonly kind: 'nvidia-ocsp'
      /** DER, as are the bytes that a chain brings */
      readonly certificate: Uint8Array
      readonly issuer: Uint8Array
    }
  | { readonly kind: 'jwks'; readonly issuer: 'azure-maa' | 'intel-ita' | 'google-confidential-space' | 'nvidia-nras' }

/** What a vendor answered, in the files that `sortCollateral` reads; decoded by nobody, authenticated on every use. */
export interface FetchedObject {
  readonly request: CollateralRequest
  /** one for most; an answer of Intel's and the issuer chain of its headers are two */
  readonly files: readonly CollateralFile[]
  readonly fetchedAt: UnixSeconds
}

/** Asks a vendor for one object. Whatever goes wrong is a fault whose verdict is inconclusive. */
export type FetchObject = (request: CollateralRequest) => Promise<Outcome<FetchedObject>>
