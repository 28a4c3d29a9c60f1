import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { type Fault, fault } from '../../core/outcome.ts'
import type { ValidatedPath } from '../../core/x509/path.ts'
import type { CollateralSet } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { COLLATERAL_CODES } from './collateral-codes.ts'
import { chooseDocument, type ProvedDocument } from './document-choice.ts'
import type { PckExtension, QeIdentity, TcbInfo, Tee } from './model.ts'
import { decodeQeIdentity } from './qe-identity.ts'
import { QE_ID } from './quoting-enclave.ts'
import { judgeRevocation } from './revocation.ts'
import { decodeTcbInfo } from './tcb-info.ts'
import { type TcbSigner, tcbSigners } from './tcb-signer.ts'

/** What Intel vouches for about one platform at the time of judgement. */
export interface DcapEndorsements {
  /** undefined where none for this platform was given */
  readonly tcbInfo: TcbInfo | undefined
  readonly qeIdentity: QeIdentity | undefined
  /** chain: `intel-pck` */
  readonly revocation: RevocationReport
  readonly uses: readonly CollateralUse[]
  /** what was not given; inconclusive, and stands beside the claims */
  readonly missing: readonly Fault[]
  readonly injectedAnchors: readonly string[]
}

/**
 * Chooses and proves, inside `attemptAsync`, what Intel says about the platform of a PCK certificate: TCB info and identity of
 * the quoting enclave, each signed by Intel's TCB signer directly below the root of the PCK certificate and in date, and
 * the revocation lists of that root and of the PCK CA. The documents are returned as they are: that they are about this
 * technology, platform and enclave is checked by `evaluateTcb`.
 * Ends it with the first refusal: X509_* of the signer's certificate · TDX_COLLATERAL_SIGNATURE · TDX_COLLATERAL_MALFORMED ·
 * TDX_TCB_COMPONENTS · TDX_TCB_LEVEL_MALFORMED · TDX_TCB_STATUS_UNKNOWN (or these of SGX) · COLLATERAL_EXPIRED ·
 * COLLATERAL_NOT_YET_VALID · CRL_SIGNATURE_INVALID · CRL_UNSUPPORTED · X509_REVOKED. Missing, and told beside the claims:
 * TDX_TCB_INFO_MISSING · TDX_QE_IDENTITY_MISSING · TDX_TCB_SIGNER_MISSING, or these of SGX.
 * @param pck path of the PCK certificate, below a root that is trusted, and what Intel certifies in it
 * @see intel-dcap.md §2.2–2.4, §7
 */
export async function authenticateEndorsements(
  context: Context,
  tee: Tee,
  pck: { readonly path: ValidatedPath; readonly extension: PckExtension },
  collateral: CollateralSet,
): Promise<DcapEndorsements> {
  const { anchor } = pck.path
  const fmspc = toHex(pck.extension.fmspc)
  const documents = collateral.intelDocuments
  const signers = documents.length === 0 ? [] : await tcbSigners(context, anchor, collateral)
  const provable = signers.length === 0 ? [] : documents
  const tcbInfo = await chooseDocument(context, provable, signers, {
    ...{ kind: 'tcb-info', tee, decode: decodeTcbInfo, path: 'tcbInfo' },
    fits: (head) => head.id === tee && head.fmspc === fmspc,
  })
  const qeIdentity = await chooseDocument(context, provable, signers, {
    ...{ kind: 'qe-identity', tee, decode: decodeQeIdentity, path: 'qeIdentity' },
    fits: (head) => head.id === QE_ID[tee],
  })
  const used = [tcbInfo?.signer, qeIdentity?.signer].filter((signer) => signer !== undefined)
  const revocation = await judgeRevocation(
    context,
    collateral.crls,
    pck.path,
    used.map((signer) => signer.value.serial),
  )
  return {
    tcbInfo: tcbInfo?.value,
    qeIdentity: qeIdentity?.value,
    revocation: revocation.report,
    uses: [
      ...signerUses(used),
      ...documentUses('intel-tcb-info', tcbInfo),
      ...documentUses('intel-qe-identity', qeIdentity),
      ...revocation.uses,
    ],
    missing: missing(tee, fmspc, { signers: documents.length > 0 && signers.length === 0, tcbInfo, qeIdentity }),
    injectedAnchors: used.length > 0 && anchor.injected ? [anchor.id] : [],
  }
}

function missing(
  tee: Tee,
  fmspc: string,
  { signers, tcbInfo, qeIdentity }: { signers: boolean; tcbInfo: unknown; qeIdentity: unknown },
): readonly Fault[] {
  const codes = COLLATERAL_CODES[tee]
  if (signers) return [fault(codes.signerMissing, 'tcbSigner', { expected: 'CN=Intel SGX TCB Signing' })]
  return [
    ...(tcbInfo === undefined ? [fault(codes.tcbInfoMissing, 'tcbInfo', { expected: `${tee}, FMSPC ${fmspc}` })] : []),
    ...(qeIdentity === undefined ? [fault(codes.qeIdentityMissing, 'qeIdentity', { expected: QE_ID[tee] })] : []),
  ]
}

/** Both documents usually have one signer. */
const signerUses = (signers: readonly TcbSigner[]): readonly CollateralUse[] =>
  signers
    .filter((signer, i) => signers.findIndex((other) => other.sha256 === signer.sha256) === i)
    .map(({ value, sha256 }) => ({
      kind: 'x509-certificate',
      digest: sha256,
      issuedAt: value.notBefore,
      validUntil: value.notAfter,
    }))

const documentUses = (
  kind: CollateralUse['kind'],
  document: ProvedDocument<TcbInfo | QeIdentity> | undefined,
): readonly CollateralUse[] =>
  document === undefined
    ? []
    : [
        {
          kind,
          digest: document.sha256,
          issuedAt: document.value.issueDate,
          validUntil: document.value.nextUpdate,
        },
      ]
