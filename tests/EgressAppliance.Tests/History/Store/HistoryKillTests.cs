using System.Diagnostics;
using System.Globalization;
using EgressAppliance.Host.History.Store;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.History.Store;

/// <summary>
/// A child process writes minute after minute, each in a transaction, and is killed at a random moment; the next one goes on with the same database. <c>EGRESS_KILLS=200</c> for as many kills.
/// </summary>
public sealed class HistoryKillTests(ITestOutputHelper output)
{
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("EGRESS_KILLS") ?? "8", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Kill_at_any_moment_leaves_a_whole_database_with_everything_that_was_committed()
    {
        using HistoryBench bench = new();
        Random random = new(7);
        long minutes = 0;
        for (int kill = 0; kill < Kills; kill++)
        {
            long committed = await WriteUntilKilledAsync(bench.Options.Path, TimeSpan.FromMilliseconds(random.Next(1, 400)));
            Assert.Null(HistoryRepair.Check(bench.Options.Path));
            long newest = bench.Scalar("SELECT MAX(time) FROM link_minute");

            // The last one may have been committed and not yet told.
            Assert.True(newest == committed || newest == committed + 60, $"kill {kill}: {committed} was committed, {newest} is there");
            Assert.Equal(newest, bench.Scalar("SELECT MAX(time) FROM prefix_minute"));
            Assert.Equal(newest / 60, bench.Scalar("SELECT MAX(count) FROM event"));
            minutes = bench.Scalar("SELECT COUNT(DISTINCT time) FROM link_minute");
            Assert.Equal(minutes, 1 + ((newest - bench.Scalar("SELECT MIN(time) FROM link_minute")) / 60));
            Assert.Equal(minutes, bench.Scalar("SELECT COUNT(*) FROM event"));

            // The roll-ups are of the same moment.
            Assert.Equal(bench.Scalar("SELECT SUM(seconds) FROM link_minute"), bench.Scalar("SELECT SUM(seconds) FROM link_day"));
            Assert.Equal(bench.Scalar("SELECT SUM(seconds) FROM prefix_minute"), bench.Scalar("SELECT SUM(seconds) FROM prefix_day"));
        }

        output.WriteLine($"{Kills} kills, {minutes} minutes written");
        Assert.True(minutes >= Kills, $"{minutes} minutes in {Kills} rounds");
    }

    private static async Task<long> WriteUntilKilledAsync(string path, TimeSpan life)
    {
        ProcessStartInfo info = new(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            ArgumentList = { "exec", Path.Combine(AppContext.BaseDirectory, "EgressAppliance.HistoryLoad.dll"), "write", path, "8", "100" },
        };
        using Process child = Process.Start(info)!;
        try
        {
            Assert.Equal("opened", await child.StandardOutput.ReadLineAsync());

            // From the first minute on it writes without a pause: whatever it is killed in is a part of a transaction, or of folding the log into the database.
            string first = await child.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The writer ended by itself.");
            Task<string> told = child.StandardOutput.ReadToEndAsync();
            await Task.Delay(life);
            child.Kill();
            await child.WaitForExitAsync();

            // A line that was cut off tells of nothing.
            string text = first + "\n" + await told;
            return long.Parse(text[..text.LastIndexOf('\n')].Split('\n')[^1], CultureInfo.InvariantCulture);
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill();
            }
        }
    }
}
