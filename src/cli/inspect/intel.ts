import type { CollateralSet, Held, IntelDocument } from '../../attestation/collateral.ts'
import type { LevelFacts } from '../../attestation/dcap/levels.ts'
import type { IsvSvnLevel, TcbLevel, Tee } from '../../attestation/dcap/model.ts'
import { decodeQeIdentity } from '../../attestation/dcap/qe-identity.ts'
import { decodeTcbInfo } from '../../attestation/dcap/tcb-info.ts'
import { TCB_SIGNER } from '../../attestation/dcap/tcb-signer.ts'
import { latin1 } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, sameName } from '../../core/x509/names.ts'
import { certificateViews } from './certificates.ts'
import type { IntelDocumentView, IntelLevelView } from './model.ts'

/** A TCB info or QE identity as it stands in the file, with the certificates that may be its signer's by their name. */
export async function intelDocumentView(
  { value: document, sha256 }: Held<IntelDocument>,
  set: CollateralSet,
  context: Context,
): Promise<Outcome<IntelDocumentView>> {
  const certificates = await certificateViews(signerChain(set), context)
  const tee: Tee = /"id"\s*:\s*"TD/.test(latin1(document.signed)) ? 'TDX' : 'SGX'
  if (document.kind === 'tcb-info') {
    const decoded = decodeTcbInfo(document.signed, tee, 'tcbInfo')
    if (!decoded.ok) return decoded
    const { id, version, fmspc, pceId, tdxModuleIdentities, levels } = decoded.value
    return ok({
      ...{ kind: 'intel-document', document: 'tcb-info', sha256, id, version, ...datesOf(decoded.value) },
      ...{ fmspc: toHex(fmspc), pceId: toHex(pceId), certificates },
      groups: [
        { of: 'platform', levels: levels.map(platformLevel) },
        ...tdxModuleIdentities.map((m) => ({ of: `module ${m.id}`, levels: m.levels.map(isvLevel) })),
      ],
    })
  }
  const decoded = decodeQeIdentity(document.signed, tee, 'qeIdentity')
  if (!decoded.ok) return decoded
  const { id, version, mrSigner, isvProdId, levels } = decoded.value
  return ok({
    ...{ kind: 'intel-document', document: 'qe-identity', sha256, id, version, ...datesOf(decoded.value) },
    ...{ mrSigner: toHex(mrSigner), isvProdId, certificates },
    groups: [{ of: 'quoting enclave', levels: levels.map(isvLevel) }],
  })
}

const datesOf = (of: {
  readonly issueDate: number
  readonly nextUpdate: number
  readonly tcbEvaluationDataNumber: number
}) => ({
  tcbEvaluationDataNumber: of.tcbEvaluationDataNumber,
  issueDate: toRfc3339(of.issueDate),
  nextUpdate: toRfc3339(of.nextUpdate),
})

function signerChain({ certificates }: CollateralSet): readonly Certificate[] {
  const all = certificates.map((c) => c.value)
  const signers = all.filter((c) => commonName(c.subject) === TCB_SIGNER)
  return [...signers, ...all.filter((c) => signers.some((signer) => sameName(c.subject, signer.issuer)))]
}

const factsOf = ({ status, tcbDate, advisoryIds }: LevelFacts) => ({ status, tcbDate, advisoryIds })

const platformLevel = (level: TcbLevel): IntelLevelView => ({
  ...factsOf(level),
  pceSvn: level.pceSvn,
  sgxTcbComponents: level.sgxComponents.map((c) => c.svn),
  ...(level.tdxComponents === undefined ? {} : { tdxTcbComponents: level.tdxComponents.map((c) => c.svn) }),
})

const isvLevel = (level: IsvSvnLevel): IntelLevelView => ({ ...factsOf(level), isvSvn: level.isvSvn })
