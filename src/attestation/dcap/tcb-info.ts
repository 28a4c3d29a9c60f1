import { fromUtf8 } from '../../core/encodings.ts'
import { type Json, parseJson, pointer } from '../../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import { COLLATERAL_CODES, type CollateralCodes } from './collateral-codes.ts'
import { Fields } from './fields.ts'
import { isvSvnLevels, levelFacts, PLATFORM_STATUS } from './levels.ts'
import type { SvnComponent, TcbInfo, TcbLevel, TdxModule, TdxModuleIdentity, Tee } from './model.ts'

const COMPONENTS = 16
const MOST = { svn: 0xff, pceSvn: 0xffff, evaluationNumber: 0xffff_ffff } as const

/**
 * Reads a TCB info from the very bytes that are signed: version 3, and version 2, which is flat, names no technology and is
 * about SGX. Every member that the evaluation uses must be there, each level with 16 components of each kind.
 * @param signed the object as Intel delivered it
 * @param tee technology of the quote, for the words of the codes
 * @returns the document, or UTF8_INVALID · JSON_* · LIMIT_JSON_* · TDX_COLLATERAL_MALFORMED · TDX_TCB_COMPONENTS ·
 * TDX_TCB_LEVEL_MALFORMED · TDX_TCB_STATUS_UNKNOWN, or these of SGX
 * @see intel-dcap.md §7; PCS API v3 and v4
 */
export function decodeTcbInfo(signed: Uint8Array, tee: Tee, path: string): Outcome<TcbInfo> {
  const codes = COLLATERAL_CODES[tee]
  return attempt(() => {
    const text = take(fromUtf8(signed, path))
    const info = new Fields(take(parseJson(text, path, 'integers')), path, codes.malformed)
    const version = info.integer('version', 3)
    if (version !== 2 && version !== 3) return info.refuse('version', '2 or 3')
    const id = version === 2 ? 'SGX' : info.text('id')
    if (id !== 'SGX' && id !== 'TDX') return info.refuse('id', 'SGX or TDX')
    // Another type would say that components are compared in another way.
    if (info.integer('tcbType', MOST.svn) !== 0) info.refuse('tcbType', '0')
    const { values, path: at } = info.array('tcbLevels')
    const isTdx = id === 'TDX'
    return {
      id,
      version,
      issueDate: info.date('issueDate'),
      nextUpdate: info.date('nextUpdate'),
      fmspc: info.hex('fmspc', 6),
      pceId: info.hex('pceId', 2),
      tcbEvaluationDataNumber: info.integer('tcbEvaluationDataNumber', MOST.evaluationNumber),
      tdxModule: isTdx && info.has('tdxModule') ? tdxModule(info.fields('tdxModule')) : undefined,
      tdxModuleIdentities: isTdx && info.has('tdxModuleIdentities') ? moduleIdentities(info, codes) : [],
      levels: values.map((value, i) => tcbLevel(value, version, isTdx, codes, pointer(at, i))),
    }
  })
}

const tdxModule = (fields: Fields): TdxModule => ({
  mrSigner: fields.hex('mrsigner', 48),
  attributes: fields.hex('attributes', 8),
  attributesMask: fields.hex('attributesMask', 8),
})

function moduleIdentities(info: Fields, codes: CollateralCodes): readonly TdxModuleIdentity[] {
  const { values, path } = info.array('tdxModuleIdentities')
  const seen = new Set<string>()
  return values.map((value, i) => {
    const identity = new Fields(value, pointer(path, i), codes.malformed)
    const id = identity.text('id').toUpperCase()
    if (seen.has(id)) identity.refuse('id', 'each id once')
    seen.add(id)
    return { id, ...tdxModule(identity), levels: isvSvnLevels(identity, codes) }
  })
}

function tcbLevel(value: Json, version: 2 | 3, isTdx: boolean, codes: CollateralCodes, path: string): TcbLevel {
  const level = new Fields(value, path, codes.levelMalformed)
  const tcb = level.fields('tcb')
  return {
    sgxComponents: version === 2 ? flatComponents(tcb, codes) : components(tcb, 'sgxtcbcomponents', codes),
    pceSvn: tcb.integer('pcesvn', MOST.pceSvn),
    tdxComponents: isTdx ? components(tcb, 'tdxtcbcomponents', codes) : undefined,
    ...levelFacts(level, PLATFORM_STATUS, codes),
  }
}

function components(tcb: Fields, name: string, codes: CollateralCodes): readonly SvnComponent[] {
  const wrong = (actual: string): never =>
    refuse(codes.components, pointer(tcb.path, name), { expected: `${COMPONENTS} components`, actual })
  if (!tcb.has(name)) return wrong('none')
  const { values, path } = tcb.array(name)
  if (values.length !== COMPONENTS) return wrong(String(values.length))
  return values.map((value, i) => {
    const component = new Fields(value, pointer(path, i), codes.levelMalformed)
    return {
      svn: component.integer('svn', MOST.svn),
      category: component.has('category') ? component.text('category') : undefined,
      type: component.has('type') ? component.text('type') : undefined,
    }
  })
}

/** Version 2: `sgxtcbcomp01svn` to `sgxtcbcomp16svn`. */
function flatComponents(tcb: Fields, codes: CollateralCodes): readonly SvnComponent[] {
  return Array.from({ length: COMPONENTS }, (_, i) => {
    const name = `sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`
    if (!tcb.has(name)) {
      return refuse(codes.components, pointer(tcb.path, name), {
        expected: `${COMPONENTS} components`,
        actual: 'absent',
      })
    }
    return { svn: tcb.integer(name, MOST.svn), category: undefined, type: undefined }
  })
}
