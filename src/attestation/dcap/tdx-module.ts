import { equalBytes, isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'
import { moduleId } from './converge.ts'
import type { IsvSvnLevel, TcbInfo, TdTcbFacts, TdxModule } from './model.ts'

/** A TDX module that Intel signed, at a level of its own or, for major version 0, judged with the platform. */
export interface ProvedModule {
  /** undefined for major version 0 */
  readonly level: IsvSvnLevel | undefined
  /** undefined for major version 0 */
  readonly levels: readonly IsvSvnLevel[] | undefined
}

/**
 * Checks the TDX module of a TD report against the identity that Intel publishes for its major version, TEE_TCB_SVN[1]:
 * signer, attributes, level by TEE_TCB_SVN[0]. Ends the surrounding `attempt` with TDX_MODULE_UNKNOWN · TDX_SEAM_UNTRUSTED ·
 * TDX_TCB_NO_LEVEL.
 * @see intel-dcap.md §9.4
 */
export function checkTdxModule(td: TdTcbFacts, tcbInfo: TcbInfo): ProvedModule {
  const [svn = 0, major = 0] = td.teeTcbSvn
  if (major === 0) {
    checkSeam(td, tcbInfo.tdxModule ?? unknownModule('tdxModule'))
    return { level: undefined, levels: undefined }
  }
  const id = moduleId(major)
  const identity = tcbInfo.tdxModuleIdentities.find((i) => i.id === id) ?? unknownModule(id)
  checkSeam(td, identity)
  const level = highestReached(identity.levels, svn)
  if (level === undefined) {
    return refuse('TDX_TCB_NO_LEVEL', 'td.teeTcbSvn[0]', {
      expected: `at least ${Math.min(...identity.levels.map((l) => l.isvSvn))}, the lowest level of ${id}`,
      actual: svn,
    })
  }
  return { level, levels: identity.levels }
}

const unknownModule = (id: string): never =>
  refuse('TDX_MODULE_UNKNOWN', 'td.teeTcbSvn[1]', { expected: 'a module that the TCB info describes', actual: id })

function checkSeam(td: TdTcbFacts, { mrSigner, attributes }: TdxModule): void {
  if (!equalBytes(td.mrSignerSeam, mrSigner)) {
    refuse('TDX_SEAM_UNTRUSTED', 'td.mrSignerSeam', { expected: toHex(mrSigner), actual: toHex(td.mrSignerSeam) })
  }
  // Intel's library compares all bits and knows no attribute that may be set; a mask never hides one here either.
  if (!isZero(td.seamAttributes) || !equalBytes(td.seamAttributes, attributes)) {
    refuse('TDX_SEAM_UNTRUSTED', 'td.seamAttributes', {
      expected: `${toHex(attributes)}, and zero`,
      actual: toHex(td.seamAttributes),
    })
  }
}

/** The highest level that a security version reaches, in whatever order the document has them. */
export const highestReached = (levels: readonly IsvSvnLevel[], svn: number): IsvSvnLevel | undefined =>
  [...levels].sort((a, b) => b.isvSvn - a.isvSvn).find((level) => svn >= level.isvSvn)
