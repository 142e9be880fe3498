namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// The speaker against real routers. Pick a row with <c>--filter DisplayName~override</c>, a router with <c>--filter DisplayName~Bird</c>.
/// </summary>
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
