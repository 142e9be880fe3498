using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// The speaker against real routers. Pick a row with <c>--filter DisplayName~override</c>, a router with <c>--filter DisplayName~Bird</c>.
/// </summary>
[Collection(Alone.Name)]
public sealed class InteropTests(InteropRuns runs, ITestOutputHelper output) : IClassFixture<InteropRuns>
{
    public static TheoryData<string, InteropSoftware> Cells
    {
        get
        {
            var cells = new TheoryData<string, InteropSoftware>();
            foreach (InteropRow row in InteropMatrix.Rows)
            {
                foreach ((InteropSoftware software, _, _) in InteropMatrix.Software.Where(one => InteropMatrix.WhyNot(row, one.Software) is null))
                {
                    cells.Add(row.Key, software);
                }
            }

            return cells;
        }
    }

    [InteropTheory]
    [MemberData(nameof(Cells))]
    public Task Row_works(string row, InteropSoftware software) =>
        runs.AwaitAsync(InteropMatrix.Rows.Single(one => one.Key == row), software, output);

    [InteropTheory]
    [InlineData(InteropSoftware.Frr, "/usr/lib/frr/bgpd", "-v")]
    [InlineData(InteropSoftware.Bird, "bird", "--version")]
    [InlineData(InteropSoftware.OpenBgpd, "bgpd", "-V")]
    [InlineData(InteropSoftware.GoBgp, "gobgpd", "--version")]
    [InlineData(InteropSoftware.ExaBgp, "exabgp", "--version")]
    public async Task Version_is_that_of_the_matrix(InteropSoftware software, string command, string option)
    {
        ShellResult answer = await Shell.RunAsync([command, option]);
        string version = InteropMatrix.Software.Single(one => one.Software == software).Version;
        Assert.Matches($@"(^|[^\d.]){Regex.Escape(version)}($|[^\d.])", (answer.Output + answer.Error).Split('\n')[0]);
    }

    [Fact]
    public void Rows_left_out_have_a_reason()
    {
        int left = 0;
        foreach (InteropRow row in InteropMatrix.Rows)
        {
            foreach ((InteropSoftware software, string name, string version) in InteropMatrix.Software)
            {
                if (InteropMatrix.WhyNot(row, software) is { } reason)
                {
                    Assert.NotEmpty(reason);
                    output.WriteLine($"{row.Key}: {name} {version}: {reason}");
                    left++;
                }
            }
        }

        Assert.Equal(InteropMatrix.Rows.Count * InteropMatrix.Software.Count, Cells.Count + left);
    }
}
