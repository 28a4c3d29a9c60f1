import { fail, type Outcome, ok } from '../../core/outcome.ts'

type Koffi = typeof import('koffi')['default']

/** A function of a native library: called at once, or on a thread of its own. */
export interface NativeFunction {
  (...args: readonly NativeArgument[]): number
  async(...args: readonly [...NativeArgument[], (error: Error | null, result: number) => void]): void
}

/** Numbers, texts, memory of ours (never moved while a call runs), and addresses that a library gave. */
export type NativeArgument = number | bigint | string | Uint8Array | BigUint64Array | Uint32Array | null

export interface NativeLibrary {
  /** the name or path that it was loaded by */
  readonly name: string
  /**
   * @param declaration in C, e.g. `int nvmlInit_v2(void)`
   * @returns the function, or undefined where this version of the library does not have it
   */
  find(declaration: string): NativeFunction | undefined
}

/** koffi unloads a library that nobody holds, under functions that are still in use. */
const held = new Map<string, ReturnType<Koffi['load']>>()

/**
 * Loads one of these shared libraries, the first that is there, by name from the places of the system or by a path that the
 * operator gave. koffi is an optional peer: it is loaded here, when it is needed.
 * @param absent why not, where none is there: the caller knows the package to install
 * @returns the library, or COLLECT_FFI_ABSENT, or the fault of `absent`
 */
export async function loadLibrary(
  names: readonly [string, ...string[]],
  absent: (reason: string) => Outcome<never>,
): Promise<Outcome<NativeLibrary>> {
  const koffi = await loadKoffi()
  if (!koffi.ok) return koffi
  let reason = ''
  for (const name of names) {
    try {
      const library = held.get(name) ?? koffi.value.load(name)
      held.set(name, library)
      const found = new Map<string, NativeFunction | undefined>()
      return ok({
        name,
        find: (declaration) => {
          if (!found.has(declaration)) found.set(declaration, find(library, declaration))
          return found.get(declaration)
        },
      })
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
  }
  return absent(reason)
}

async function loadKoffi(): Promise<Outcome<Koffi>> {
  try {
    const { default: koffi } = await import('koffi')
    return ok(koffi)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given'
    return fail('COLLECT_FFI_ABSENT', 'koffi', { expected: 'the npm package koffi', actual: code })
  }
}

function find(library: ReturnType<Koffi['load']>, declaration: string): NativeFunction | undefined {
  try {
    return library.func(declaration) as unknown as NativeFunction
  } catch (error) {
    // A mistake in the declaration is ours; an old library lacks the function.
    if (error instanceof Error && error.message.startsWith('Cannot find function')) return undefined
    throw error
  }
}

/** Calls on koffi's own threads, so that a device that takes its time does not stop the process. */
export const called = (f: NativeFunction, ...args: readonly NativeArgument[]): Promise<number> =>
  new Promise((resolve, reject) => {
    f.async(...args, (error, result) => (error === null ? resolve(result) : reject(error)))
  })
