import { fail, type Outcome } from '../../core/outcome.ts'

/** What the store or the disk rejects is one refusal: nothing is released that is not written. @returns RELEASE_AUDIT_UNAVAILABLE */
export async function available<T>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TypeError) throw error
    return fail('RELEASE_AUDIT_UNAVAILABLE', 'audit', { actual: error instanceof Error ? error.message : 'it rejects' })
  }
}
