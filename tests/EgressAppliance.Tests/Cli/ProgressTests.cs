using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Replay;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Cli;

public sealed class ProgressTests
{
    [Fact]
    public void Line_comes_after_a_second_follows_what_is_done_and_is_taken_away()
    {
        ManualTimeProvider time = new();
        using StringWriter error = new();
        using (Progress progress = new(Console(error, time, terminal: true), "counting"))
        {
            time.Advance(TimeSpan.FromMilliseconds(900));
            Assert.Equal("", error.ToString());
            progress.Report(0.25);
            time.Advance(TimeSpan.FromMilliseconds(200));
            Assert.Equal("\rcounting: 25.0%, 1s", error.ToString());
            progress.Report(0.5);
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.EndsWith("\rcounting: 50.0%, 2s", error.ToString(), StringComparison.Ordinal);
        }

        Assert.EndsWith("\r                   \r", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_shown_where_there_is_no_terminal_or_it_takes_no_time()
    {
        ManualTimeProvider time = new();
        using StringWriter error = new();
        using (new Progress(Console(error, time, terminal: false), "counting"))
        {
            time.Advance(TimeSpan.FromSeconds(10));
        }

        using (new Progress(Console(error, time, terminal: true), "counting"))
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
        }

        Assert.Equal("", error.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Replay_tells_the_part_of_the_files_that_was_read(bool perFile)
    {
        string file = TestData.Path("captures", "zeek--btest__Traces__tcp__retransmit-timeout.pcapng");
        List<double> parts = [];
        ReplayOptions options = new()
        {
            PcapFiles = [file, file],
            Workers = 1,
            Progress = part =>
            {
                lock (parts)
                {
                    parts.Add(part);
                }
            },
        };
        ReplayResult[] results = perFile ? [.. ReplayRunner.RunPerFile(options, TimeProvider.System)] : [ReplayRunner.Run(options, TimeProvider.System)];
        Assert.Equal(perFile ? 2 : 1, results.Length);
        Assert.Equal(parts.Order(), parts);
        Assert.Equal([0.5, 1], parts.Distinct());
    }

    private static CommandConsole Console(TextWriter error, TimeProvider time, bool terminal) => new() { Out = TextWriter.Null, Error = error, Time = time, ShowProgress = terminal };
}
