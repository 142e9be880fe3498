using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Live;

/// <summary>Totals of a receiver.</summary>
/// <param name="Packets">IP packets counted.</param>
/// <param name="IpBytes">Their IP bytes.</param>
/// <param name="Drops">Frames for which there was no room.</param>
/// <param name="Freezes">How often the ring had no room.</param>
internal readonly record struct ReceiverTotals(long Packets, long IpBytes, long Drops, long Freezes);

/// <summary>A receiver that runs: answers with its totals, and its threads' processor time can be read.</summary>
internal sealed class ReceiverProcess : IDisposable
{
    private readonly Process _process;

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <exception cref="ComparisonException">It does not get ready.</exception>
    public ReceiverProcess(string[] ipArguments)
    {
        _process = Process.Start(new ProcessStartInfo("ip", ipArguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        if (_process.StandardOutput.ReadLine() != "ready")
        {
            Dispose();
            throw new ComparisonException($"ip {string.Join(' ', ipArguments)}: did not get ready");
        }
    }

    /// <summary>Asks for the totals.</summary>
    public ReceiverTotals Ask()
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        using JsonDocument json = JsonDocument.Parse(_process.StandardOutput.ReadLine() ?? throw new ComparisonException("A receiver has ended."));
        JsonElement root = json.RootElement;
        return new(
            root.GetProperty("packets").GetInt64(), root.GetProperty("ip_bytes").GetInt64(), root.GetProperty("drops").GetInt64(), root.GetProperty("freezes").GetInt64());
    }

    /// <summary>
    /// Processor time of each thread so far, in seconds, by number and name. The kernel's accounting in nanoseconds (/proc/PID/task/TID/schedstat), since clock
    /// ticks of 10 ms are coarse beside what a capture thread uses.
    /// </summary>
    public Dictionary<string, double> ThreadSeconds()
    {
        Dictionary<string, double> seconds = [];
        foreach (string task in Directory.EnumerateDirectories($"/proc/{_process.Id}/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                string time = File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0];
                seconds[$"{Path.GetFileName(task)} {name}"] = long.Parse(time, CultureInfo.InvariantCulture) * 1e-9;
            }
            catch (IOException)
            {
                // The thread has ended since it was listed.
            }
        }

        return seconds;
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
