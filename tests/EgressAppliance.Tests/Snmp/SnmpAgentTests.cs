using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public class SnmpAgentTests
{
    private static readonly ObjectIdentifier Root = ObjectIdentifier.Parse("1.3.6.1.9");

    private static MibTable Table()
    {
        MibTable table = new();
        for (uint row = 1; row <= 3; row++)
        {
            table.Set(Root.Append(1, row), SnmpValue.Integer32((int)row));
            table.Set(Root.Append(2, row), SnmpValue.Counter64(row * 100));
        }

        return table;
    }

    private static string[] Show(SnmpPdu? response) => [.. response!.Bindings.Select(binding => binding.ToString()[(Root.ToString().Length + 1)..])];

    [Fact]
    public void Respond_get_puts_exceptions_in_place_of_missing_variables()
    {
        SnmpPdu request = SnmpPdu.Request(PduType.Get, 5, [Root.Append(1, 2), Root.Append(1, 9), Root.Append(7, 1)]);

        SnmpPdu? response = SnmpAgent.Respond(request, Table());

        Assert.Equal(["1.2 = Integer32 2", "1.9 = NoSuchInstance", "7.1 = NoSuchObject"], Show(response));
        Assert.Equal((5, PduType.Response, SnmpErrorStatus.NoError, 0), (response!.RequestId, response.Type, response.ErrorStatus, response.ErrorIndex));
    }

    [Fact]
    public void Respond_getnext_goes_to_the_next_column_and_to_the_end()
    {
        SnmpPdu request = SnmpPdu.Request(PduType.GetNext, 1, [Root.Append(1, 2), Root.Append(1, 3), Root.Append(2, 3)]);

        Assert.Equal(["1.3 = Integer32 3", "2.1 = Counter64 100", "2.3 = EndOfMibView"], Show(SnmpAgent.Respond(request, Table())));
    }

    [Fact]
    public void Respond_bulk_interleaves_repetitions_behind_the_non_repeaters()
    {
        SnmpPdu request = SnmpPdu.Bulk(1, 1, 2, [Root.Append(1, 1), Root.Append(1), Root.Append(2, 2)]);

        Assert.Equal(
            ["1.2 = Integer32 2", "1.1 = Integer32 1", "2.3 = Counter64 300", "1.2 = Integer32 2", "2.3 = EndOfMibView"],
            Show(SnmpAgent.Respond(request, Table())));
    }

    [Theory]
    [InlineData(-1, 1, 2)]
    [InlineData(9, 5, 2)]
    [InlineData(0, -3, 0)]
    [InlineData(1, 0, 1)]
    public void Respond_bulk_clamps_its_numbers(int nonRepeaters, int maxRepetitions, int bindings)
    {
        SnmpPdu request = SnmpPdu.Bulk(1, nonRepeaters, maxRepetitions, [Root.Append(1), Root.Append(2)]);

        Assert.Equal(bindings, SnmpAgent.Respond(request, Table())!.Bindings.Count);
    }

    [Fact]
    public void Respond_bulk_with_enormous_repetitions_stops_at_the_end_of_the_view()
    {
        SnmpPdu request = SnmpPdu.Bulk(1, 0, int.MaxValue, [Root]);

        Assert.Equal(7, SnmpAgent.Respond(request, Table())!.Bindings.Count);
    }

    [Fact]
    public void Respond_view_that_throws_gives_genErr_with_the_index()
    {
        MibTable table = Table();
        table.Set(Root.Append(1, 2), () => throw new InvalidOperationException("broken"));

        SnmpPdu? response = SnmpAgent.Respond(SnmpPdu.Request(PduType.Get, 1, [Root.Append(1, 1), Root.Append(1, 2)]), table);

        Assert.Equal((SnmpErrorStatus.GenErr, 2), (response!.ErrorStatus, response.ErrorIndex));
    }

    [Fact]
    public void Respond_set_is_refused_and_responses_are_not_answered()
    {
        Assert.Equal(SnmpErrorStatus.NoAccess, SnmpAgent.Respond(SnmpPdu.Request(PduType.Set, 1, [Root]), Table())!.ErrorStatus);
        Assert.Null(SnmpAgent.Respond(SnmpPdu.Request(PduType.Response, 1, [Root]), Table()));
        Assert.Null(SnmpAgent.Respond(SnmpPdu.Request(PduType.Trap, 1, [Root]), Table()));
    }

    [Fact]
    public void MibTable_Remove_and_Clear_take_variables_away()
    {
        MibTable table = Table();
        Assert.True(table.Remove(Root.Append(1, 1)));
        Assert.False(table.Remove(Root.Append(1, 1)));
        Assert.Equal(Root.Append(1, 2), table.Next(Root)!.Value.Name);
        table.Clear();
        Assert.Null(table.Next(Root));
    }
}
