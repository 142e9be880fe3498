using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Cost;
using EgressAppliance.Decision.Json;
using EgressAppliance.Host.History;
using EgressAppliance.Tests.Decision;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.History;

public sealed class BillingFileTests : IDisposable
{
    private static readonly CostModeState State = new()
    {
        Months = [new BillingRecord { Link = "isp-a", Start = Lab.Start, Samples = [1, -1, 3_000_000_000], LastCount = 7, LastRest = 3, Previous = [5, 6] }],
        Memory = new CostMemory(Lab.Start, Lab.Start.AddHours(-1), ["isp-a"], [4_000_000_000], 12.25),
        Verdict = CostVerdict.Proposed,
        Decided = Lab.Start.AddMinutes(5),
        Refused = 2,
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("egress-billing-");

    private string FilePath => Path.Combine(_folder.FullName, "var", "billing.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Dispose_writes_what_Load_reads()
    {
        await WriteAsync(State);
        CostModeState read = BillingFile.Load(FilePath, NullLogger<BillingFile>.Instance)!;
        Assert.Equal(DecisionJson.Write(State), DecisionJson.Write(read));
        Assert.Equal(["billing.json"], Directory.GetFiles(Path.GetDirectoryName(FilePath)!).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Write_begins_anew_in_each_sample()
    {
        ManualTimeProvider time = new();
        int asked = 0;
        await using BillingFile file = new(FilePath, () => { Interlocked.Increment(ref asked); return State; }, time, NullLogger<BillingFile>.Instance);
        time.Advance(TimeSpan.FromMinutes(5));
        await WaitAsync(() => File.Exists(FilePath));
        File.Delete(FilePath);
        time.Advance(TimeSpan.FromMinutes(5));
        await WaitAsync(() => File.Exists(FilePath));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task Write_without_a_month_leaves_an_earlier_file_alone()
    {
        await WriteAsync(State);
        await WriteAsync(new CostModeState());
        Assert.Single(BillingFile.Load(FilePath, NullLogger<BillingFile>.Instance)!.Months);
    }

    [Fact]
    public void Load_no_file_is_no_state() => Assert.Null(BillingFile.Load(FilePath, NullLogger<BillingFile>.Instance));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"months\":null}")]
    [InlineData("{\"months\":[null]}")]
    [InlineData("{\"months\":[{\"link\":\"a\",\"start\":\"2026-01-01T00:00:00Z\",\"samples\":null}]}")]
    [InlineData("{\"months\":[{\"start\":\"2026-01-01T00:00:00Z\",\"samples\":[]}]}")]
    [InlineData("{\"memory\":{\"time\":\"2026-01-01T00:00:00Z\",\"levels_from\":\"2026-01-01T00:00:00Z\",\"moves_left\":1}}")]
    [InlineData("{\"verdict\":\"rich\"}")]
    public void Load_what_is_no_such_file_is_put_aside(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, text);
        Assert.Null(BillingFile.Load(FilePath, NullLogger<BillingFile>.Instance));
        Assert.False(File.Exists(FilePath));
        Assert.Equal(text, File.ReadAllText(FilePath + ".bad"));
    }

    [Fact]
    public async Task Load_a_file_that_was_cut_is_put_aside()
    {
        await WriteAsync(State);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            Assert.Null(BillingFile.Load(FilePath, NullLogger<BillingFile>.Instance));
        }
    }

    [Fact]
    public async Task Write_to_what_is_no_folder_is_a_problem_until_it_is_one()
    {
        string path = Path.Combine(_folder.FullName, "file", "billing.json");
        File.WriteAllText(Path.Combine(_folder.FullName, "file"), "");
        ManualTimeProvider time = new();
        await using BillingFile file = new(path, () => State, time, NullLogger<BillingFile>.Instance);
        time.Advance(TimeSpan.FromMinutes(5));
        await WaitAsync(() => file.Problem is not null);
        File.Delete(Path.Combine(_folder.FullName, "file"));
        time.Advance(TimeSpan.FromMinutes(5));
        await WaitAsync(() => file.Problem is null);
        Assert.True(File.Exists(path));
    }

    private async Task WriteAsync(CostModeState state)
    {
        BillingFile file = new(FilePath, () => state, TimeProvider.System, NullLogger<BillingFile>.Instance);
        await file.DisposeAsync();
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(90));
        while (!condition())
        {
            await Task.Delay(10, timeout.Token);
        }
    }
}
