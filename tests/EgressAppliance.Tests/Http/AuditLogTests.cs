using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Http;

public sealed class AuditLogTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"egress-audit-{Guid.NewGuid():N}");

    private string Path1 => Path.Combine(_folder, "audit.jsonl");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Fact]
    public async Task Entries_outlive_the_process_and_broken_lines_are_passed_over()
    {
        await using (AuditLog log = Open())
        {
            log.Add("root", "socket", "mode", "inject", "done");
        }

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path1) & UnixFileMode.OtherRead);
        await File.AppendAllTextAsync(Path1, "{\"time\":\"2026-01-\n{}\n");
        await using AuditLog again = Open();
        again.Add("alice", "192.0.2.7", "withdraw_all", "3 overrides", "done");
        Assert.Equal(["withdraw_all", "mode"], again.Latest(10).Select(e => e.Action));
        Assert.Equal(["withdraw_all"], again.Latest(1).Select(e => e.Action));
    }

    [Fact]
    public async Task Text_of_a_request_is_cut_and_cannot_forge_a_line()
    {
        await using (AuditLog log = Open())
        {
            log.Add("local", "loopback", "override_add", "192.0.2.0/24\n{\"who\":\"root\"}\u001b[2J" + new string('x', 10_000), "refused");
        }

        string line = Assert.Single(await File.ReadAllLinesAsync(Path1));
        Assert.InRange(line.Length, 1, 600);
        Assert.DoesNotContain('\u001b', line);
    }

    [Fact]
    public async Task File_is_bounded_and_the_one_before_is_kept()
    {
        Directory.CreateDirectory(_folder);
        await using (FileStream large = File.Create(Path1))
        {
            large.SetLength(AuditLog.LargestBytes + 1);
        }

        await using (AuditLog log = Open())
        {
            log.Add("root", "socket", "mode", "observe", "done");
        }

        Assert.Single(await File.ReadAllLinesAsync(Path1));
        Assert.Equal(AuditLog.LargestBytes + 1, new FileInfo(Path1 + ".1").Length);
    }

    [Fact]
    public async Task Trouble_with_the_file_is_told_holds_nothing_up_and_mends_itself()
    {
        // A file where the folder should be: nothing can be written, not even by root.
        await File.WriteAllTextAsync(_folder, "");
        ManualTimeProvider time = new();
        await using (AuditLog log = new(Path1, time, NullLogger<AuditLog>.Instance))
        {
            log.Add("root", "socket", "mode", "inject", "done");
            await UntilAsync(() => log.Problem.Length > 0);
            Assert.Equal("mode", Assert.Single(log.Latest(10)).Action);
            File.Delete(_folder);
            await UntilAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(10));
                return log.Problem.Length == 0;
            });
            Assert.Equal(0, log.Lost);
        }

        Assert.Contains("\"mode\"", Assert.Single(await File.ReadAllLinesAsync(Path1)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_is_bounded()
    {
        await using AuditLog log = new("", TimeProvider.System, NullLogger<AuditLog>.Instance);
        for (int i = 0; i < AuditLog.Kept + 5; i++)
        {
            log.Add("root", "socket", "mode", i.ToString(System.Globalization.CultureInfo.InvariantCulture), "done");
        }

        IReadOnlyList<AuditEntryDto> kept = log.Latest(10_000);
        Assert.Equal((AuditLog.Kept, "1004", "5"), (kept.Count, kept[0].Detail, kept[^1].Detail));
    }

    private AuditLog Open() => new(Path1, TimeProvider.System, NullLogger<AuditLog>.Instance);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
