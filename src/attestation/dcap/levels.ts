import type { Json } from '../../core/json.ts'
import { pointer } from '../../core/json.ts'
import { refuse } from '../../core/outcome.ts'
import type { TcbStatus } from '../claims.ts'
import type { CollateralCodes } from './collateral-codes.ts'
import { Fields } from './fields.ts'
import type { IsvSvnLevel } from './model.ts'

/** Words of a platform's level. The two of a relaunched TD come out of an evaluation and stand in no document. */
export const PLATFORM_STATUS: readonly TcbStatus[] = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
]

/** Words of a level of the TDX module or of a quoting enclave. */
const ISV_STATUS: readonly TcbStatus[] = ['UpToDate', 'OutOfDate', 'Revoked']

const ISV_SVN_MOST = 0xffff

/** What every level has beside its security versions. */
export interface LevelFacts {
  readonly tcbDate: string
  readonly status: TcbStatus
  readonly advisoryIds: readonly string[]
}

/** Reads date, status and advisories of a level, inside `attempt`. Intel leaves `advisoryIDs` out where there are none. */
export function levelFacts(level: Fields, words: readonly TcbStatus[], codes: CollateralCodes): LevelFacts {
  const word = level.text('tcbStatus')
  const status = words.find((known) => known === word)
  if (status === undefined) {
    return refuse(codes.statusUnknown, pointer(level.path, 'tcbStatus'), { expected: words.join(', '), actual: word })
  }
  const advisoryIds = level.has('advisoryIDs') ? advisories(level) : []
  return { tcbDate: level.dateText('tcbDate'), status, advisoryIds }
}

function advisories(level: Fields): readonly string[] {
  return level.array('advisoryIDs').values.map((id) => {
    if (typeof id === 'string' && /^[A-Za-z0-9-]{1,32}$/.test(id)) return id
    return level.refuse('advisoryIDs', 'names such as INTEL-SA-00615')
  })
}

/** Reads the levels of a TDX module or of a quoting enclave, inside `attempt`. */
export function isvSvnLevels(of: Fields, codes: CollateralCodes): readonly IsvSvnLevel[] {
  const { values, path } = of.array('tcbLevels')
  return values.map((value: Json, i) => {
    const level = new Fields(value, pointer(path, i), codes.levelMalformed)
    const isvSvn = level.fields('tcb').integer('isvsvn', ISV_SVN_MOST)
    return { isvSvn, ...levelFacts(level, ISV_STATUS, codes) }
  })
}
