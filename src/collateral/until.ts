import type { Code } from '../core/codes.ts'
import { fail, type Outcome } from '../core/outcome.ts'
import type { StopSignal } from '../gate/ports.ts'
import { objectName } from './object-name.ts'
import type { FetchedObject, FetchObject } from './objects.ts'

/**
 * `fetchObject` for whoever waits no longer than a signal lets them. What was asked goes on behind it: a cache still keeps what comes.
 * @param told the code of an object that had not come when the signal was given
 */
export const until =
  (fetchObject: FetchObject, signal: StopSignal, told: Code): FetchObject =>
  (request) =>
    new Promise<Outcome<FetchedObject>>((resolve, reject) => {
      const giveUp = () => resolve(fail(told, objectName(request), { actual: 'not waited for any longer' }))
      if (signal.aborted) {
        giveUp()
        return
      }
      signal.addEventListener('abort', giveUp, { once: true })
      fetchObject(request)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', giveUp))
    })
