import type { TsmFiles } from '../../src/collect/tsm/files.ts'
import { utf8 } from '../../src/core/bytes.ts'

/** What the hardware and its driver answer; `report` is asked once for each generation, as the kernel caches its answers. */
export interface TsmProvider {
  readonly name: string
  readonly report: (inblob: Uint8Array, privlevel: number) => Uint8Array
  readonly auxblob?: (inblob: Uint8Array, privlevel: number) => Uint8Array
}

/** What goes wrong on request: a call that fails by the name of its step, or somebody who writes in between. */
export interface TsmTrouble {
  readonly fails?: Readonly<Record<string, string>>
  /** how many entries somebody else writes into after our `inblob` */
  readonly intruders?: number
  /** the kernel loses the write of a binary attribute, which happens at close */
  readonly dropsInblob?: boolean
}

export class SystemError extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

interface Entry {
  inblob: Uint8Array | undefined
  privlevel: number
  writeGeneration: number
  readGeneration: number
  outblob: Uint8Array | undefined
  auxblob: Uint8Array | undefined
}

/**
 * `tsm/report` as Linux keeps it (drivers/virt/coco/guest/report.c): each write of an attribute raises the generation, a
 * report is made at the first reading after a write and kept until the next one, an `auxblob` belongs to that same report.
 */
export class TsmKernel implements TsmFiles {
  readonly entries = new Map<string, Entry>()
  made = 0
  readonly #provider: TsmProvider | undefined
  readonly #trouble: TsmTrouble

  constructor(provider: TsmProvider | undefined, trouble: TsmTrouble = {}) {
    this.#provider = provider
    this.#trouble = trouble
  }

  #check(step: string): void {
    const code = this.#trouble.fails?.[step]
    if (code !== undefined) throw new SystemError(code)
  }

  async makeEntry(name: string): Promise<void> {
    this.#check('mkdir')
    if (this.#provider === undefined) throw new SystemError('ENXIO')
    if (this.entries.has(name)) throw new SystemError('EEXIST')
    this.made++
    this.entries.set(name, {
      inblob: undefined,
      privlevel: 0,
      writeGeneration: 0,
      readGeneration: 0,
      outblob: undefined,
      auxblob: undefined,
    })
  }

  #entry(name: string): Entry {
    const entry = this.entries.get(name)
    if (entry === undefined) throw new SystemError('ENOENT')
    return entry
  }

  async writeAttribute(name: string, attribute: string, value: Uint8Array): Promise<void> {
    this.#check(attribute)
    const entry = this.#entry(name)
    if (attribute === 'privlevel') entry.privlevel = Number(Buffer.from(value).toString())
    else if (attribute !== 'inblob') throw new SystemError('EACCES')
    else if (this.#trouble.dropsInblob === true) return
    else if (value.length > 64) throw new SystemError('EFBIG')
    else entry.inblob = value.slice()
    entry.writeGeneration++
    if (attribute === 'inblob' && this.made <= (this.#trouble.intruders ?? 0)) {
      entry.inblob = new Uint8Array(64).fill(0xee)
      entry.writeGeneration++
    }
  }

  async readAttribute(name: string, attribute: string): Promise<Uint8Array> {
    this.#check(attribute)
    const entry = this.#entry(name)
    const provider = this.#provider
    if (provider === undefined) throw new SystemError('ENXIO')
    if (attribute === 'generation') return utf8(`${entry.writeGeneration}\n`)
    if (attribute === 'provider') return utf8(`${provider.name}\n`)
    if (attribute === 'auxblob' && provider.auxblob === undefined) throw new SystemError('ENOENT')
    if (attribute !== 'outblob' && attribute !== 'auxblob') throw new SystemError('EACCES')
    if (entry.inblob === undefined) throw new SystemError('EINVAL')
    if (entry.outblob === undefined || entry.readGeneration !== entry.writeGeneration) {
      entry.outblob = provider.report(entry.inblob, entry.privlevel)
      entry.auxblob = provider.auxblob?.(entry.inblob, entry.privlevel)
      entry.readGeneration = entry.writeGeneration
    }
    return (attribute === 'outblob' ? entry.outblob : entry.auxblob) ?? new Uint8Array()
  }

  async removeEntry(name: string): Promise<void> {
    this.#check('rmdir')
    if (!this.entries.delete(name)) throw new SystemError('ENOENT')
  }
}
