using System.Diagnostics;

namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>Waits on conditions, and says what was awaited and what was seen last.</summary>
internal static class Until
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Progress = TimeSpan.FromSeconds(5);
    private const int LongestProgress = 300;

    /// <summary>Waits until a probe's value is right; returns it. Throws with the last value seen when the limit passes.</summary>
    /// <param name="what">What is awaited, for progress and failure messages.</param>
    /// <param name="probe">Asks; exceptions of a peer that is not ready yet count as "not yet".</param>
    /// <param name="right">Judges.</param>
    /// <param name="limit">When to give up.</param>
    /// <param name="output">Where progress goes.</param>
    /// <param name="pause">Time between probes; zero polls as fast as it can.</param>
    public static async Task<T> ValueAsync<T>(
        string what, Func<Task<T>> probe, Func<T, bool> right, TimeSpan limit, ITestOutputHelper output, TimeSpan? pause = null)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan nextProgress = Progress;
        while (true)
        {
            string seen;
            try
            {
                T value = await probe();
                if (right(value))
                {
                    output.WriteLine($"[{Stopwatch.GetElapsedTime(start).TotalSeconds,6:F2} s] {what}");
                    return value;
                }

                seen = value?.ToString() ?? "null";
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or IOException or System.Text.Json.JsonException)
            {
                seen = e.Message;
            }

            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            if (elapsed > limit)
            {
                throw new TimeoutException($"waited {elapsed.TotalSeconds:F1} s in vain for: {what}\nlast seen: {seen}");
            }

            if (elapsed > nextProgress)
            {
                output.WriteLine($"[{elapsed.TotalSeconds,6:F2} s] still waiting for: {what}; last seen: {seen[..Math.Min(seen.Length, LongestProgress)]}");
                nextProgress += Progress;
            }

            await Task.Delay(pause ?? Pause);
        }
    }

    /// <summary>Waits until a condition holds.</summary>
    public static Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan limit, ITestOutputHelper output, TimeSpan? pause = null) =>
        ValueAsync(what, condition, holds => holds, limit, output, pause);
}
